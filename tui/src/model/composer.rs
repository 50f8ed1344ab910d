//! What is being written in one meeting, and where one is in what was sent there before.

use std::collections::BTreeMap;

use crate::model::choice::Choice;
use crate::model::editor::Editor;

/// The input of one meeting.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    /// The text.
    pub editor: Editor,
    /// How far the choice of a name or a word is.
    pub choice: Choice,
    /// Which text of the history is shown.
    at: Option<usize>,
    /// What was being written before it was.
    aside: Editor,
    /// Other texts of the history, as they were changed while they were shown.
    changed: BTreeMap<usize, Editor>,
}

impl Composer {
    /// With a text that was kept.
    pub fn new(draft: String) -> Self {
        Self {
            editor: Editor::new(draft),
            ..Self::default()
        }
    }

    /// Takes the text to send it. What was being written before one looked through the history
    /// comes back.
    pub fn sent(&mut self) -> String {
        self.choice = Choice::default();
        self.changed.clear();
        let text = self.editor.take();
        if self.at.take().is_some() {
            self.editor = std::mem::take(&mut self.aside);
        }
        text
    }

    /// What is to be kept: the text, or, while the history shows, what was being written before.
    pub fn draft(&self) -> &str {
        match self.at {
            None => self.editor.text(),
            Some(_) if !self.aside.is_empty() => self.aside.text(),
            Some(_) if self.editor.is_changed() => self.editor.text(),
            Some(_) => "",
        }
    }

    /// Shows what was sent before.
    pub fn older(&mut self, history: &[String]) {
        let at = self.at.unwrap_or(history.len()).min(history.len());
        if let Some(at) = at.checked_sub(1) {
            self.put_away();
            self.look_at(at, history);
        }
    }

    /// Shows what was sent after, at last the text that was there before.
    pub fn newer(&mut self, history: &[String]) {
        let Some(at) = self.at else {
            return;
        };
        self.put_away();
        if at + 1 < history.len() {
            self.look_at(at + 1, history);
        } else {
            self.at = None;
            self.editor = std::mem::take(&mut self.aside);
        }
    }

    fn put_away(&mut self) {
        let shown = std::mem::take(&mut self.editor);
        match self.at {
            None => self.aside = shown,
            Some(at) if shown.is_changed() => {
                self.changed.insert(at, shown);
            }
            Some(_) => {}
        }
    }

    fn look_at(&mut self, at: usize, history: &[String]) {
        self.at = Some(at);
        let changed = self.changed.remove(&at);
        self.editor = changed.unwrap_or_else(|| Editor::new(history[at].clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Vec<String> {
        ["one", "two"].map(str::to_owned).to_vec()
    }

    #[test]
    fn history_comes_back_and_keeps_the_draft() {
        let (mut composer, history) = (Composer::new("draft".into()), history());
        composer.older(&history);
        assert_eq!(composer.editor.text(), "two");
        composer.older(&history);
        composer.older(&history);
        assert_eq!(composer.editor.text(), "one");
        assert_eq!(composer.draft(), "draft");
        composer.newer(&history);
        composer.newer(&history);
        assert_eq!(composer.editor.text(), "draft");
        composer.newer(&history);
        assert_eq!(composer.editor.text(), "draft");
    }

    #[test]
    fn what_is_changed_on_the_way_is_there_again() {
        let (mut composer, history) = (Composer::default(), history());
        composer.older(&history);
        assert_eq!(composer.draft(), "", "what was sent is no draft");
        composer.editor.insert(" again");
        assert_eq!(composer.draft(), "two again");
        composer.older(&history);
        composer.newer(&history);
        assert_eq!(composer.editor.text(), "two again");
        composer.newer(&history);
        composer.editor.insert("new");
        composer.older(&history);
        assert_eq!(composer.editor.text(), "two again");
        composer.newer(&history);
        assert_eq!(composer.editor.text(), "new");
    }

    #[test]
    fn sending_from_the_history_brings_the_draft_back() {
        let (mut composer, history) = (Composer::new("draft".into()), history());
        composer.older(&history);
        assert_eq!(composer.sent(), "two");
        assert_eq!(composer.editor.text(), "draft");
        assert_eq!(composer.sent(), "draft");
        assert!(composer.editor.is_empty());
    }
}
