//! A terminal backend that makes links clickable with OSC 8.
//!
//! Cells of a link are marked by their underline color. The backend also skips unchanged cursor
//! commands, so that an unchanged frame writes nothing.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use crate::link::{Table, number_of};

/// The links of the current frame, shared between the frame and the backend.
pub(super) type SharedLinks = Rc<RefCell<Table>>;

/// A backend that writes hyperlink sequences around the cells of links.
pub(super) struct HyperlinkBackend<W: Write> {
    inner: CrosstermBackend<W>,
    links: SharedLinks,
    /// Whether the cursor is visible, if known.
    is_cursor_visible: Option<bool>,
    /// The position of the cursor, if known.
    cursor_at: Option<Position>,
}

impl<W: Write> HyperlinkBackend<W> {
    pub(super) fn new(writer: W, links: SharedLinks) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            links,
            is_cursor_visible: None,
            cursor_at: None,
        }
    }

    /// Forgets the state of the cursor, after another program used the terminal.
    pub(super) fn forget_cursor(&mut self) {
        (self.is_cursor_visible, self.cursor_at) = (None, None);
    }

    /// Draws cells that belong to the same link, or to none.
    fn draw_run(&mut self, number: Option<u32>, cells: &[(u16, u16, Cell)]) -> io::Result<()> {
        let links = Rc::clone(&self.links);
        let links = links.borrow();
        let address = number.and_then(|number| links.address(number));
        if let (Some(number), Some(address)) = (number, address) {
            write!(self.inner, "\x1b]8;id={number};{address}\x1b\\")?;
        }
        self.inner
            .draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
        if address.is_some() {
            write!(self.inner, "\x1b]8;;\x1b\\")?;
        }
        Ok(())
    }
}

impl<W: Write> Backend for HyperlinkBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut run: Vec<(u16, u16, Cell)> = Vec::new();
        let mut number = None;
        for (x, y, cell) in content {
            let next = number_of(cell.underline_color);
            if next != number {
                if !run.is_empty() {
                    self.draw_run(number, &run)?;
                    run.clear();
                }
                number = next;
            }
            let mut cell = cell.clone();
            if next.is_some() {
                // The color is only a mark.
                cell.underline_color = Color::Reset;
            }
            run.push((x, y, cell));
        }
        if run.is_empty() {
            return Ok(());
        }
        self.cursor_at = None;
        self.draw_run(number, &run)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.cursor_at = None;
        self.inner.append_lines(count)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.is_cursor_visible.replace(false) == Some(false) {
            return Ok(());
        }
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.is_cursor_visible.replace(true) == Some(true) {
            return Ok(());
        }
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor_at.replace(position) == Some(position) {
            return Ok(());
        }
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.forget_cursor();
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.forget_cursor();
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Links, mark};
    use crate::tests::fixture::Fixture;
    use crate::view::view;
    use plenary_shared::text::MessageBody;
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use ratatui::{Terminal, TerminalOptions, Viewport};
    use rstest::rstest;

    fn drawn(links: Links, parts: &[(&str, Option<u32>)]) -> String {
        let mut bytes = Vec::new();
        let table = SharedLinks::default();
        table.borrow_mut().replace(links);
        let mut backend = HyperlinkBackend::new(&mut bytes, Rc::clone(&table));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        let mut x = 0;
        for (text, number) in parts {
            let style = number.map_or_else(Style::new, |number| {
                Style::new().underline_color(mark(number))
            });
            (x, _) = buffer.set_stringn(x, 0, text, 40, style);
        }
        let cells = (0..x).map(|x| (x, 0, &buffer[(x, 0)]));
        backend.draw(cells).expect("a Vec accepts all writes");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn link_sequence_encloses_its_text() {
        let bytes = drawn(
            vec![(64, "http://a.org".into())],
            &[("see ", None), ("http://a.org", Some(64)), (" now", None)],
        );
        let open = bytes
            .find("\x1b]8;id=64;http://a.org\x1b\\")
            .expect("opened");
        let close = bytes.find("\x1b]8;;\x1b\\").expect("closed");
        let linked = &bytes[open..close];
        assert!(
            linked.ends_with("http://a.org\x1b[39m\x1b[49m\x1b[59m\x1b[0m"),
            "{linked:?}"
        );
        assert!(bytes.find("see ").is_some_and(|at| at < open));
        assert!(bytes.find(" now").is_some_and(|at| at > close));
        assert_eq!(bytes.matches("\x1b]8;").count(), 2);
        // The mark is not written as a color.
        assert!(
            !bytes.contains("58;2") && !bytes.contains("58:2"),
            "{bytes:?}"
        );
    }

    #[test]
    fn unknown_mark_writes_no_link() {
        let bytes = drawn(vec![], &[("http://a.org", Some(64))]);
        assert!(
            !bytes.contains("\x1b]8") && !bytes.contains("58;2"),
            "{bytes:?}"
        );
    }

    /// Returns all bytes written for a chat with this message.
    fn chat(message: &str) -> String {
        let mut fixture = Fixture::talking(80, 24);
        let Ok(body) = MessageBody::parse(message) else {
            return String::new();
        };
        fixture.hears(20, 8, body.as_str());
        let mut bytes = Vec::new();
        let table = SharedLinks::default();
        let backend = HyperlinkBackend::new(&mut bytes, Rc::clone(&table));
        let area = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let options = TerminalOptions { viewport: area };
        let mut terminal =
            Terminal::with_options(backend, options).expect("a Vec accepts all writes");
        let drawn = terminal.draw(|frame| {
            table.borrow_mut().replace(view(&fixture.model, frame));
        });
        drawn.expect("a Vec accepts all writes");
        drop(terminal);
        String::from_utf8(bytes).expect("text")
    }

    /// Returns the URLs of link sequences. Panics at unexpected sequences.
    fn links_in(mut bytes: &str) -> Vec<String> {
        let mut links = Vec::new();
        while let Some(at) = bytes.find(char::is_control) {
            let rest = &bytes[at..];
            if let Some(link) = rest.strip_prefix("\x1b]8;") {
                let end = link.find("\x1b\\").expect("an end");
                let (_, address) = link[..end].split_once(';').expect("parameters");
                assert!(!address.chars().any(char::is_control), "{address:?}");
                links.push(address.to_owned());
                bytes = &link[end + 2..];
            } else {
                let rest = rest.strip_prefix("\x1b[").expect("an expected sequence");
                let end = rest
                    .find(|c: char| c.is_ascii_alphabetic())
                    .expect("its end");
                let is_ours = |c: char| c.is_ascii_digit() || ";?:".contains(c);
                assert!(rest[..end].chars().all(is_ours), "{rest:?}");
                bytes = &rest[end + 1..];
            }
        }
        links
    }

    #[test]
    fn link_over_two_rows_has_its_full_url() {
        let long = format!("see https://a.org/{}?x=1 there", "path/".repeat(30));
        let addresses = links_in(&chat(&long));
        let whole = format!("https://a.org/{}?x=1", "path/".repeat(30));
        assert!(addresses.contains(&whole), "{addresses:?}");
        let others = addresses
            .iter()
            .filter(|address| **address != whole)
            .map(String::as_str);
        assert_eq!(others.collect::<String>(), "", "{addresses:?}");
    }

    #[rstest]
    #[case("\u{1b}]8;;http://evil.org\u{1b}\\click\u{1b}]8;;\u{1b}\\")]
    #[case("\u{9d}8;;http://evil.org\u{9c}click")]
    #[case("http://good.org/\u{1b}]8;;http://evil.org\u{7}x")]
    #[case("http://good.org/\u{1b}\\\u{1b}[2J")]
    #[case("http://good.org\u{202e}gro.live//:ptth")]
    #[case("http://good.org/\u{200b};id=1;x\u{301}")]
    fn messages_cannot_forge_links(#[case] message: &str) {
        for address in links_in(&chat(message)) {
            // Each link is the visible text.
            let is_shown = ["", "https://grafana.corp/d/rollout"].contains(&address.as_str())
                || address.starts_with("http://good.org")
                || address.starts_with("http://evil.org");
            assert!(is_shown, "{address:?}");
        }
    }

    /// A writer that collects all bytes.
    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn unchanged_frame_writes_nothing() {
        let mut fixture = Fixture::talking(80, 24);
        let (sink, table) = (Sink::default(), SharedLinks::default());
        let backend = HyperlinkBackend::new(sink.clone(), Rc::clone(&table));
        let area = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let options = TerminalOptions { viewport: area };
        let mut terminal =
            Terminal::with_options(backend, options).expect("a Vec accepts all writes");
        let mut draw = |fixture: &Fixture| {
            let drawn = terminal.draw(|frame| {
                table.borrow_mut().replace(view(&fixture.model, frame));
            });
            drawn.expect("a Vec accepts all writes");
            std::mem::take(&mut *sink.0.borrow_mut())
        };
        assert!(draw(&fixture).len() > 1_000);
        fixture.tell(crate::msg::AppEvent::Tick);
        assert_eq!(draw(&fixture), b"");
        // Typing moves the cursor.
        fixture.write("a");
        assert!(!draw(&fixture).is_empty());
        fixture.key("backspace");
        assert!(!draw(&fixture).is_empty());
        assert_eq!(draw(&fixture), b"");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn text_cannot_inject_sequences(
            parts in proptest::collection::vec(prop_oneof![
                Just("http://a.org/".to_owned()),
                Just("\u{1b}]8;;".to_owned()),
                Just("\u{1b}\\".to_owned()),
                Just("\u{7}".to_owned()),
                Just("\u{9c}".to_owned()),
                Just(" ".to_owned()),
                any::<String>(),
            ], 1..8),
        ) {
            links_in(&chat(&parts.concat()));
        }
    }
}
