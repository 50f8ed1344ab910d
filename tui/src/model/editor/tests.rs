//! Tests of the editor: clusters, words, cuts, undo and layout.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

const FAMILY: &str = "👩‍👩‍👧";

#[rstest]
#[case(FAMILY, "")]
#[case("ae\u{301}", "a")]
#[case("日本", "日")]
#[case("🇩🇪🇫🇷", "🇩🇪")]
#[case("", "")]
fn backspace_deletes_one_cluster(#[case] text: &str, #[case] left: &str) {
    let mut editor = Editor::new(text);
    editor.delete_left();
    assert_eq!(editor.text(), left);
}

#[test]
fn cursor_moves_by_cluster() {
    let mut editor = Editor::new(format!("a{FAMILY}b"));
    editor.left();
    editor.left();
    assert_eq!(editor.before(), "a");
    editor.delete_right();
    assert_eq!(editor.text(), "ab");
    editor.right();
    editor.right();
    assert_eq!(editor.before(), "ab");
}

#[test]
fn words_are_cut_and_yanked() {
    let mut editor = Editor::new("one two  three");
    editor.word_left();
    editor.word_left();
    assert_eq!(editor.before(), "one ");
    editor.word_right();
    assert_eq!(editor.before(), "one two");
    let mut ring = KillRing::default();
    editor.cut_word(&mut ring);
    assert_eq!(editor.text(), "one   three");
    editor.line_end();
    editor.yank(&ring);
    assert_eq!(editor.text(), "one   threetwo");
    editor.cut_to_start(&mut ring);
    assert_eq!(editor.text(), "");
    editor.yank(&ring);
    editor.line_start();
    editor.cut_to_end(&mut ring);
    assert!(editor.is_empty());
}

#[test]
fn lines_are_cut_one_at_a_time() {
    let mut ring = KillRing::default();
    let mut editor = Editor::new("one\ntwo");
    editor.cut_to_start(&mut ring);
    assert_eq!(editor.text(), "one\n");
    editor.cut_to_start(&mut ring);
    assert_eq!(editor.text(), "one");
    // Consecutive cuts are one entry.
    editor.yank(&ring);
    assert_eq!(editor.text(), "one\ntwo");
}

#[test]
fn consecutive_cuts_join_and_older_ones_cycle() {
    let mut ring = KillRing::default();
    let mut editor = Editor::new("see https://a.b/c?d now, please");
    editor.cut_word(&mut ring);
    editor.cut_word(&mut ring);
    assert_eq!(editor.text(), "see https://a.b/c?d ");
    editor.left();
    editor.cut_to_blank(&mut ring);
    assert_eq!(editor.text(), "see  ");
    editor.yank(&ring);
    assert_eq!(editor.text(), "see https://a.b/c?d ");
    assert!(editor.yank_older(&ring));
    assert_eq!(editor.text(), "see now, please ");
    assert!(editor.yank_older(&ring));
    assert_eq!(editor.text(), "see https://a.b/c?d ");
    editor.right();
    assert!(!editor.yank_older(&ring));
    let mut other = Editor::new("elsewhere");
    other.cut_word(&mut ring);
    editor.cut_word(&mut ring);
    other.yank(&ring);
    assert_eq!(other.text(), "d ");
}

#[rstest]
#[case("abc", 0, "acb")]
#[case("abc", 1, "acb")]
#[case("abc", 3, "abc")]
#[case("a👩‍👩‍👧", 0, "👩‍👩‍👧a")]
#[case("x\nab", 2, "x\nab")]
#[case("x\nab", 1, "x\nba")]
#[case("", 0, "")]
fn transpose_swaps_clusters(#[case] text: &str, #[case] lefts: usize, #[case] expected: &str) {
    let mut editor = Editor::new(text);
    for _ in 0..lefts {
        editor.left();
    }
    editor.transpose();
    assert_eq!(editor.text(), expected);
}

#[test]
fn typing_is_undone_word_by_word() {
    let mut ring = KillRing::default();
    let mut editor = Editor::default();
    for c in "one two three".chars() {
        editor.write(c);
    }
    editor.insert(" pasted text");
    editor.cut_to_start(&mut ring);
    let mut seen = Vec::new();
    while editor.undo() {
        seen.push(editor.text().to_owned());
    }
    assert_eq!(
        seen,
        [
            "one two three pasted text",
            "one two three",
            "one two ",
            "one ",
            ""
        ]
    );
    while editor.redo() {}
    assert_eq!(editor.text(), "");
    editor.undo();
    for _ in 0..5 {
        editor.delete_left();
    }
    assert_eq!(editor.text(), "one two three pasted");
    editor.undo();
    assert_eq!(editor.text(), "one two three pasted text");
    editor.write('!');
    assert!(!editor.redo(), "what is new ends what was undone");
}

#[test]
fn word_moves_skip_punctuation() {
    let mut editor = Editor::new("well, (yes) 日本 👩‍👩‍👧 …");
    let mut stops = Vec::new();
    while !editor.before().is_empty() {
        editor.word_left();
        stops.push(editor.before().chars().count());
    }
    assert_eq!(stops.last(), Some(&0));
    assert!(stops.contains(&7), "{stops:?}");
    editor.cut_word_right(&mut KillRing::default());
    assert_eq!(editor.text(), ", (yes) 日本 👩‍👩‍👧 …");
}

#[test]
fn rows_leave_a_cell_for_the_cursor() {
    let layout = Editor::new("abcdef").layout(4);
    assert_eq!(layout.rows, ["abc", "def"]);
    assert_eq!((layout.row, layout.column), (1, 3));
    let layout = Editor::new("日本語").layout(4);
    assert_eq!(layout.rows, ["日", "本", "語"]);
    let layout = Editor::new("a\n").layout(10);
    assert_eq!((layout.rows.len(), layout.row, layout.column), (2, 1, 0));
    let layout = Editor::new("a\tb\u{202e}").layout(40);
    assert_eq!(layout.rows, ["a    b<U+202E>"]);
}

#[test]
fn up_and_down_keep_the_column() {
    let mut editor = Editor::new("first line\nab\nthird line");
    assert!(editor.up(40));
    assert_eq!(editor.before(), "first line\nab");
    assert!(editor.up(40));
    assert_eq!(editor.before(), "first line");
    assert!(!editor.up(40));
    assert!(editor.down(40) && editor.down(40));
    assert!(!editor.down(40));
}

#[test]
fn control_characters_are_removed_from_pastes() {
    let mut editor = Editor::default();
    editor.insert("a\r\nb\rc\u{1b}[2J\td");
    assert_eq!(editor.text(), "a\nb\nc[2J\td");
}

proptest! {
    #[test]
    fn every_change_can_be_undone_and_redone(
        text in "[a \n👩👧\u{200d}\u{301}日🇩🇪]{0,12}",
        steps in proptest::collection::vec(0_u8..9, 0..30),
    ) {
        let mut editor = Editor::new(text.clone());
        let mut ring = KillRing::default();
        for step in steps {
            match step {
                0 => editor.left(),
                1 => editor.word_left(),
                2 => editor.write('a'),
                3 => editor.write(' '),
                4 => editor.insert("\u{200d}👧 b"),
                5 => editor.delete_left(),
                6 => editor.delete_right(),
                7 => editor.cut_word(&mut ring),
                _ => editor.yank(&ring),
            }
        }
        let end = editor.text().to_owned();
        while editor.undo() {}
        prop_assert_eq!(editor.text(), text);
        while editor.redo() {}
        prop_assert_eq!(editor.text(), end);
    }

    #[test]
    fn cursor_stays_on_cluster_boundaries(
        text in "[a \n👩👧\u{200d}\u{301}日🇩🇪]{0,20}",
        moves in proptest::collection::vec(0_u8..21, 0..40),
        cells in 1_usize..12,
    ) {
        let mut editor = Editor::new(text);
        let mut ring = KillRing::default();
        for step in moves {
            match step {
                0 => editor.left(),
                1 => editor.right(),
                2 => editor.word_left(),
                3 => editor.word_right(),
                4 => editor.line_start(),
                5 => editor.line_end(),
                6 => { editor.up(cells); }
                7 => { editor.down(cells); }
                8 => editor.delete_left(),
                9 => editor.delete_right(),
                10 => editor.cut_word(&mut ring),
                11 => editor.cut_to_start(&mut ring),
                12 => editor.yank(&ring),
                13 => editor.cut_word_right(&mut ring),
                14 => editor.cut_to_blank(&mut ring),
                15 => editor.transpose(),
                16 => { editor.undo(); }
                17 => { editor.redo(); }
                18 => { editor.yank_older(&ring); }
                19 => editor.write('\u{301}'),
                _ => editor.insert("\u{200d}👧"),
            }
            let at = editor.before().len();
            let between = editor.text().grapheme_indices(true).any(|(start, _)| start == at);
            prop_assert!(between || at == editor.text().len());
            let layout = editor.layout(cells);
            prop_assert!(layout.row < layout.rows.len());
            prop_assert_eq!(editor.rows(cells, usize::MAX), layout.rows.len());
        }
    }
}
