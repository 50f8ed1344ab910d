//! A terminal backend that makes links clickable with OSC 8.
//!
//! Cells of a link are marked by their underline color. The backend also skips unchanged cursor
//! commands, so that an unchanged frame writes nothing.
//!
//! Terminals disagree on the width of some clusters, such as flags, and draw more or fewer cells than
//! expected. A row that contains such a cluster, or contained one before, is erased and drawn whole
//! when any of it changes, so that nothing remains of what the terminal drew beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use crate::link::{Table, number_of};
use crate::text;

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
    /// The rows on the screen, from the first column to the last one that was drawn.
    rows: BTreeMap<u16, ScreenRow>,
}

/// A row as it was drawn.
#[derive(Default)]
struct ScreenRow {
    cells: Vec<Cell>,
    /// Whether terminals disagree on the width of one of its clusters.
    is_disputed: bool,
}

impl ScreenRow {
    fn set(&mut self, x: u16, cell: &Cell) {
        let start = usize::from(x);
        let end = start + text::width(cell.symbol()).max(1);
        if self.cells.len() < end {
            self.cells.resize(end, Cell::default());
        }
        // What a wide cluster covers is blank once the cluster is gone.
        self.cells[start..end].fill(Cell::default());
        self.cells[start] = cell.clone();
    }

    /// The cells that are drawn: those that a wide cluster covers are left out.
    fn drawn(&self) -> impl Iterator<Item = (u16, &Cell)> {
        let mut covered = 0;
        (0..).zip(&self.cells).filter(move |(_, cell)| {
            if covered > 0 {
                covered -= 1;
                return false;
            }
            covered = text::width(cell.symbol()).saturating_sub(1);
            true
        })
    }

    /// Whether terminals disagree on the width of a cluster.
    fn check(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| text::has_disputed_width(cell.symbol()))
    }
}

impl<W: Write> HyperlinkBackend<W> {
    pub(super) fn new(writer: W, links: SharedLinks) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            links,
            is_cursor_visible: None,
            cursor_at: None,
            rows: BTreeMap::new(),
        }
    }

    /// Forgets the state of the cursor, after another program used the terminal.
    pub(super) fn forget_cursor(&mut self) {
        (self.is_cursor_visible, self.cursor_at) = (None, None);
    }

    /// Erases a row and draws it. Each disputed cluster ends a run, so that the next cell is placed by
    /// its column and not by what the terminal drew before.
    fn draw_whole_row(&mut self, y: u16, cells: &[(u16, u16, Cell)]) -> io::Result<()> {
        self.cursor_at = None;
        write!(self.inner, "\x1b[{};1H\x1b[2K", y + 1)?;
        let is_end = |(_, _, cell): &(u16, u16, Cell)| text::has_disputed_width(cell.symbol());
        for run in cells.split_inclusive(is_end) {
            self.draw_cells(run)?;
        }
        Ok(())
    }

    /// Draws cells, with the sequences of their links.
    fn draw_cells(&mut self, cells: &[(u16, u16, Cell)]) -> io::Result<()> {
        let number = |(_, _, cell): &(u16, u16, Cell)| number_of(cell.underline_color);
        for run in cells.chunk_by(|one, other| number(one) == number(other)) {
            self.cursor_at = None;
            let number = run.first().and_then(number);
            if number.is_none() {
                self.draw_run(None, run)?;
                continue;
            }
            // The color is only a mark.
            let mut run = run.to_vec();
            for (_, _, cell) in &mut run {
                cell.underline_color = Color::Reset;
            }
            self.draw_run(number, &run)?;
        }
        Ok(())
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
        let mut changed: BTreeMap<u16, Vec<(u16, Cell)>> = BTreeMap::new();
        for (x, y, cell) in content {
            self.rows.entry(y).or_default().set(x, cell);
            changed.entry(y).or_default().push((x, cell.clone()));
        }
        // The cells of ordinary rows are drawn together, in as few runs as possible.
        let mut ordinary: Vec<(u16, u16, Cell)> = Vec::new();
        for (y, cells) in changed {
            let row = self.rows.entry(y).or_default();
            let is_disputed = row.check();
            if std::mem::replace(&mut row.is_disputed, is_disputed) || is_disputed {
                let whole = row.drawn().map(|(x, cell)| (x, y, cell.clone()));
                let whole: Vec<(u16, u16, Cell)> = whole.collect();
                self.draw_whole_row(y, &whole)?;
            } else {
                ordinary.extend(cells.into_iter().map(|(x, cell)| (x, y, cell)));
            }
        }
        self.draw_cells(&ordinary)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.cursor_at = None;
        self.rows.clear();
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
        self.rows.clear();
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.forget_cursor();
        self.rows.clear();
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

    #[rstest]
    #[case("🇬🇧")]
    #[case("👩‍👩‍👧")]
    #[case("✌\u{fe0f}")]
    #[case("😀")]
    fn rows_with_disputed_widths_are_erased_and_drawn_whole(#[case] cluster: &str) {
        let mut bytes = Vec::new();
        let mut backend = HyperlinkBackend::new(&mut bytes, SharedLinks::default());
        let mut draw = |buffer: &Buffer, cells: &[(u16, u16)]| {
            let cells = cells.iter().map(|(x, y)| (*x, *y, &buffer[(*x, *y)]));
            backend.draw(cells).expect("a Vec accepts all writes");
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, format!("ab{cluster}cd"), Style::new());
        draw(&buffer, &[(0, 0), (1, 0), (2, 0), (4, 0), (5, 0)]);
        // A change of one cell draws the row, and one after the cluster is gone as well.
        buffer.set_string(0, 0, "x", Style::new());
        draw(&buffer, &[(0, 0)]);
        buffer.set_string(0, 0, "plain text", Style::new());
        draw(&buffer, &[(0, 0), (1, 0), (2, 0), (3, 0)]);
        buffer.set_string(0, 0, "P", Style::new());
        draw(&buffer, &[(0, 0)]);
        let text = String::from_utf8(bytes).expect("text");
        assert_eq!(text.matches("\x1b[1;1H\x1b[2K").count(), 3, "{text:?}");
        // What follows the cluster is placed by its column.
        let after = text.split(cluster).nth(1).expect("the cluster");
        let place = after.find("\x1b[1;5H").expect("a position");
        assert!(place < after.find("cd").expect("the rest"), "{text:?}");
    }

    #[test]
    fn cells_covered_by_a_wide_cluster_do_not_come_back() {
        let mut bytes = Vec::new();
        let mut backend = HyperlinkBackend::new(&mut bytes, SharedLinks::default());
        let mut draw = |buffer: &Buffer, columns: &[u16]| {
            let cells = columns.iter().map(|x| (*x, 0, &buffer[(*x, 0)]));
            backend.draw(cells).expect("a Vec accepts all writes");
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer.set_string(0, 0, "wxyz", Style::new());
        draw(&buffer, &[0, 1, 2, 3]);
        buffer.set_string(0, 0, "🇬🇧", Style::new());
        draw(&buffer, &[0]);
        buffer.set_string(0, 0, "  ", Style::new());
        // Ratatui takes the covered cell for blank already.
        draw(&buffer, &[0]);
        let text = String::from_utf8(bytes).expect("text");
        let last = text.rsplit("\x1b[2K").next().expect("a part");
        assert!(!last.contains('x') && last.contains("yz"), "{last:?}");
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
