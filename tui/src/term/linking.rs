//! Addresses under the text that shows them, as OSC 8 tells a terminal: a backend that knows by a
//! cell's mark which link it is a part of. It says nothing about a cursor that stays as it is, so that a
//! frame like the one before writes nothing.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use crate::link::{Table, number_of};

/// What one frame's marks stand for, as the frame and its backend share it.
pub(super) type Shared = Rc<RefCell<Table>>;

/// Writes what is drawn, and around the parts of links where these lead.
pub(super) struct Linking<W: Write> {
    inner: CrosstermBackend<W>,
    links: Shared,
    /// Whether the cursor is seen, and where it stands, as far as that is known.
    seen: Option<bool>,
    at: Option<Position>,
}

impl<W: Write> Linking<W> {
    pub(super) fn new(writer: W, links: Shared) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            links,
            seen: None,
            at: None,
        }
    }

    /// Somebody else had the terminal: nothing is known of its cursor.
    pub(super) fn forget(&mut self) {
        (self.seen, self.at) = (None, None);
    }

    /// Cells of one link, or of none, side by side or not.
    fn draw_alike(&mut self, number: Option<u32>, cells: &[(u16, u16, Cell)]) -> io::Result<()> {
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

impl<W: Write> Backend for Linking<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut alike: Vec<(u16, u16, Cell)> = Vec::new();
        let mut number = None;
        for (x, y, cell) in content {
            let next = number_of(cell.underline_color);
            if next != number {
                if !alike.is_empty() {
                    self.draw_alike(number, &alike)?;
                    alike.clear();
                }
                number = next;
            }
            let mut cell = cell.clone();
            if next.is_some() {
                // The mark is ours, no colour.
                cell.underline_color = Color::Reset;
            }
            alike.push((x, y, cell));
        }
        if alike.is_empty() {
            return Ok(());
        }
        self.at = None;
        self.draw_alike(number, &alike)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.at = None;
        self.inner.append_lines(count)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.seen.replace(false) == Some(false) {
            return Ok(());
        }
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.seen.replace(true) == Some(true) {
            return Ok(());
        }
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.at.replace(position) == Some(position) {
            return Ok(());
        }
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.forget();
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.forget();
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
    use crate::tests::stage::Stage;
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
        let table = Shared::default();
        table.borrow_mut().replace(links);
        let mut backend = Linking::new(&mut bytes, Rc::clone(&table));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        let mut x = 0;
        for (text, number) in parts {
            let style = number.map_or_else(Style::new, |number| {
                Style::new().underline_color(mark(number))
            });
            (x, _) = buffer.set_stringn(x, 0, text, 40, style);
        }
        let cells = (0..x).map(|x| (x, 0, &buffer[(x, 0)]));
        backend.draw(cells).expect("memory takes all");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_link_leads_where_the_table_says_and_ends_with_its_text() {
        let said = drawn(
            vec![(64, "http://a.org".into())],
            &[("see ", None), ("http://a.org", Some(64)), (" now", None)],
        );
        let open = said
            .find("\x1b]8;id=64;http://a.org\x1b\\")
            .expect("opened");
        let close = said.find("\x1b]8;;\x1b\\").expect("closed");
        let linked = &said[open..close];
        assert!(
            linked.ends_with("http://a.org\x1b[39m\x1b[49m\x1b[59m\x1b[0m"),
            "{linked:?}"
        );
        assert!(said.find("see ").is_some_and(|at| at < open));
        assert!(said.find(" now").is_some_and(|at| at > close));
        assert_eq!(said.matches("\x1b]8;").count(), 2);
        // Nothing of the mark is left as a colour.
        assert!(!said.contains("58;2") && !said.contains("58:2"), "{said:?}");
    }

    #[test]
    fn a_mark_that_stands_for_nothing_is_nothing() {
        let said = drawn(vec![], &[("http://a.org", Some(64))]);
        assert!(
            !said.contains("\x1b]8") && !said.contains("58;2"),
            "{said:?}"
        );
    }

    /// All that goes to the terminal for a talk with this in it.
    fn talk(said: &str) -> String {
        let mut stage = Stage::talking(80, 24);
        let Ok(body) = MessageBody::parse(said) else {
            return String::new();
        };
        stage.hears(20, 8, body.as_str());
        let mut bytes = Vec::new();
        let table = Shared::default();
        let backend = Linking::new(&mut bytes, Rc::clone(&table));
        let area = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let options = TerminalOptions { viewport: area };
        let mut terminal = Terminal::with_options(backend, options).expect("memory takes all");
        let drawn = terminal.draw(|frame| {
            table.borrow_mut().replace(view(&stage.model, frame));
        });
        drawn.expect("memory takes all");
        drop(terminal);
        String::from_utf8(bytes).expect("text")
    }

    /// The addresses that the terminal is told; panics at any sequence that is not ours.
    fn told(mut bytes: &str) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(at) = bytes.find(char::is_control) {
            let rest = &bytes[at..];
            if let Some(link) = rest.strip_prefix("\x1b]8;") {
                let end = link.find("\x1b\\").expect("an end");
                let (_, address) = link[..end].split_once(';').expect("parameters");
                assert!(!address.chars().any(char::is_control), "{address:?}");
                told.push(address.to_owned());
                bytes = &link[end + 2..];
            } else {
                let rest = rest.strip_prefix("\x1b[").expect("a sequence of ours");
                let end = rest
                    .find(|c: char| c.is_ascii_alphabetic())
                    .expect("its end");
                let is_ours = |c: char| c.is_ascii_digit() || ";?:".contains(c);
                assert!(rest[..end].chars().all(is_ours), "{rest:?}");
                bytes = &rest[end + 1..];
            }
        }
        told
    }

    #[test]
    fn a_talk_says_where_its_links_lead_also_over_two_rows() {
        let long = format!("see https://a.org/{}?x=1 there", "path/".repeat(30));
        let addresses = told(&talk(&long));
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
    fn nobody_forges_a_link(#[case] said: &str) {
        for address in told(&talk(said)) {
            // What is told is what is shown: it begins where an address in the text does.
            let is_shown = ["", "https://grafana.corp/d/rollout"].contains(&address.as_str())
                || address.starts_with("http://good.org")
                || address.starts_with("http://evil.org");
            assert!(is_shown, "{address:?}");
        }
    }

    /// Where everything goes that is written.
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
    fn a_frame_like_the_one_before_writes_nothing() {
        let mut stage = Stage::talking(80, 24);
        let (sink, table) = (Sink::default(), Shared::default());
        let backend = Linking::new(sink.clone(), Rc::clone(&table));
        let area = Viewport::Fixed(Rect::new(0, 0, 80, 24));
        let options = TerminalOptions { viewport: area };
        let mut terminal = Terminal::with_options(backend, options).expect("memory takes all");
        let mut draw = |stage: &Stage| {
            let drawn = terminal.draw(|frame| {
                table.borrow_mut().replace(view(&stage.model, frame));
            });
            drawn.expect("memory takes all");
            std::mem::take(&mut *sink.0.borrow_mut())
        };
        assert!(draw(&stage).len() > 1_000);
        stage.tell(crate::msg::AppEvent::Tick);
        assert_eq!(draw(&stage), b"");
        // A key moves the cursor, and it comes back.
        stage.write("a");
        assert!(!draw(&stage).is_empty());
        stage.key("backspace");
        assert!(!draw(&stage).is_empty());
        assert_eq!(draw(&stage), b"");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_ends_a_link_or_begins_a_sequence(
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
            told(&talk(&parts.concat()));
        }
    }
}
