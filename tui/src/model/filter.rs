//! The filter of a table: words that its rows contain, and words after `!` that they do not.

use super::editor::{Editor, KillRing};
use plenary_shared::unicode::fold;

/// The filter of a table with its input.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub editor: Editor,
    ring: KillRing,
    /// Whether the input has the focus.
    pub has_focus: bool,
}

impl Filter {
    /// Whether it hides nothing.
    pub fn is_empty(&self) -> bool {
        self.editor.is_empty()
    }

    /// Whether a row with this text is shown. Ignores case.
    pub fn is_match(&self, text: &str) -> bool {
        let text = fold(text);
        self.editor.text().split_whitespace().all(|word| {
            let (inverse, word) = match word.strip_prefix('!') {
                Some(word) => (true, word),
                None => (false, word),
            };
            word.is_empty() || text.contains(&fold(word)) != inverse
        })
    }

    /// Removes the filter. False if there was none.
    pub fn clear(&mut self) -> bool {
        let was_open = self.has_focus || !self.is_empty();
        self.has_focus = false;
        self.editor.set("");
        was_open
    }

    /// The input, while it has the focus.
    pub fn input(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        let Self { editor, ring, .. } = self;
        self.has_focus.then_some((editor, ring))
    }
}
