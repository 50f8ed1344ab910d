//! Snapshots of one screen at every supported size, in colour, without colour and in ASCII.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use rstest::rstest;

use super::fixture::Fixture;
use super::screens::busy;
use crate::theme::Theme;

/// Returns a cell's style in words, empty for the default style.
fn look(cell: &Cell) -> String {
    let mut words: Vec<String> = Vec::new();
    if cell.fg != Color::Reset {
        words.push(format!("{}", cell.fg).to_lowercase());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on-{}", cell.bg).to_lowercase());
    }
    let names = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    let on = names.iter().filter(|(one, _)| cell.modifier.contains(*one));
    words.extend(on.map(|(_, name)| (*name).to_owned()));
    words.join(" ")
}

/// Lists the styled runs of each row: column, length and style.
fn looks(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let look = look(&buffer[(x, y)]);
            match runs.last_mut() {
                Some((from, length, last)) if *last == look && *from + *length == x => *length += 1,
                _ => runs.push((x, 1, look)),
            }
        }
        let said = runs.iter().filter(|(_, _, look)| !look.is_empty());
        let said: Vec<String> = said.map(|(x, n, look)| format!("{x}+{n} {look}")).collect();
        if !said.is_empty() {
            writeln!(out, "{y:>2}: {}", said.join(", ")).expect("a String takes all");
        }
    }
    out
}

fn at(columns: u16, rows: u16, theme: Theme) -> Fixture {
    let mut fixture = busy(columns, rows);
    fixture.model.theme = theme;
    fixture
}

#[rstest]
#[case(200, 60)]
#[case(120, 36)]
#[case(80, 24)]
#[case(60, 20)]
#[case(44, 20)]
#[case(20, 6)]
fn every_theme_at_every_size(#[case] columns: u16, #[case] rows: u16) {
    let coloured = at(columns, rows, Theme::new(true, false));
    let plain = at(columns, rows, Theme::new(false, false));
    let ascii = at(columns, rows, Theme::new(true, true));
    assert_eq!(
        plain.screen(),
        coloured.screen(),
        "no colour, the same text"
    );
    for (one, other) in plain.cells().content.iter().zip(&coloured.cells().content) {
        assert_eq!((one.fg, one.bg), (Color::Reset, Color::Reset));
        assert_eq!(one.modifier, other.modifier, "no meaning by colour alone");
    }
    let said = "日本語もどうぞ👩‍👩‍👧é";
    for c in ascii
        .screen()
        .chars()
        .filter(|c| !c.is_ascii() && *c != '█')
    {
        assert!(
            said.contains(c),
            "{c:?} is a glyph of ours:\n{}",
            ascii.screen()
        );
    }
    insta::assert_snapshot!(
        format!("{columns}x{rows}"),
        format!(
            "{}\n\n== how it looks\n{}\n== in ASCII\n{}",
            coloured.screen(),
            looks(&coloured.cells()),
            ascii.screen()
        )
    );
}
