//! What is being written in one meeting, and what was sent from there before.

use crate::model::editor::Editor;

/// Texts that are remembered; the oldest goes.
const HISTORY_MAX: usize = 100;

/// The input of one meeting.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    /// The text.
    pub editor: Editor,
    history: Vec<String>,
    /// Which of the history is shown, and the text that was there before.
    looking: Option<(usize, String)>,
}

impl Composer {
    /// With a text that was kept.
    pub fn new(draft: String) -> Self {
        Self {
            editor: Editor::new(draft),
            ..Self::default()
        }
    }

    /// Takes the text to send it, and remembers it.
    pub fn sent(&mut self) -> String {
        let text = self.editor.take();
        self.looking = None;
        if self.history.last() != Some(&text) {
            if self.history.len() == HISTORY_MAX {
                self.history.remove(0);
            }
            self.history.push(text.clone());
        }
        text
    }

    /// Shows what was sent before.
    pub fn older(&mut self) {
        let next = match &self.looking {
            Some((0, _)) => return,
            Some((at, _)) => at - 1,
            None if self.history.is_empty() => return,
            None => self.history.len() - 1,
        };
        let draft = self
            .looking
            .take()
            .map_or_else(|| self.editor.text().to_owned(), |(_, d)| d);
        self.editor.set(self.history[next].clone());
        self.looking = Some((next, draft));
    }

    /// Shows what was sent after, at last the text that was there before.
    pub fn newer(&mut self) {
        let Some((at, draft)) = self.looking.take() else {
            return;
        };
        if let Some(text) = self.history.get(at + 1) {
            self.editor.set(text.clone());
            self.looking = Some((at + 1, draft));
        } else {
            self.editor.set(draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_comes_back_and_keeps_the_draft() {
        let mut composer = Composer::default();
        for text in ["one", "two", "two"] {
            composer.editor.insert(text);
            assert_eq!(composer.sent(), text);
        }
        composer.editor.insert("draft");
        composer.older();
        assert_eq!(composer.editor.text(), "two");
        composer.older();
        composer.older();
        assert_eq!(composer.editor.text(), "one");
        composer.newer();
        composer.newer();
        assert_eq!(composer.editor.text(), "draft");
        composer.newer();
        assert_eq!(composer.editor.text(), "draft");
    }
}
