//! The input of one meeting: its text, what sending it does, and the position in the history.

use std::collections::BTreeMap;

use crate::journal::{ComposeTarget, MessageRef};
use crate::model::choice::Choice;
use crate::model::editor::Editor;

/// The input of one meeting.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    pub editor: Editor,
    /// The state of the completion list.
    pub choice: Choice,
    /// What sending the text does.
    target: ComposeTarget,
    /// The draft that an edit replaced.
    before: Option<Editor>,
    /// The history entry on screen.
    at: Option<usize>,
    /// The draft that the history replaced.
    aside: Editor,
    /// Other history entries with unsent changes.
    changed: BTreeMap<usize, Editor>,
}

impl Composer {
    /// Returns an input with a stored draft.
    pub fn new(draft: String) -> Self {
        Self {
            editor: Editor::new(draft),
            ..Self::default()
        }
    }

    /// Returns what sending the text does.
    pub fn target(&self) -> ComposeTarget {
        self.target
    }

    /// Makes the text a reply to this message. Returns the changed text of an edit that this
    /// cancels.
    pub fn reply(&mut self, to: MessageRef) -> Option<String> {
        let changed = self.cancel_target();
        self.target = ComposeTarget::Reply(to);
        changed
    }

    /// Starts to edit this message, whose body is `text`. Returns the changed text of another edit
    /// that this cancels.
    pub fn edit(&mut self, target: MessageRef, text: &str) -> Option<String> {
        let changed = self.cancel_target();
        self.before = Some(std::mem::replace(&mut self.editor, Editor::new(text)));
        self.choice = Choice::Closed;
        self.target = ComposeTarget::Edit(target);
        changed
    }

    /// Cancels a reply, keeping its text, or an edit, restoring the draft before it. Returns the
    /// changed text of the edit.
    pub fn cancel_target(&mut self) -> Option<String> {
        self.target = ComposeTarget::New;
        let before = self.before.take()?;
        let changed = std::mem::replace(&mut self.editor, before);
        self.choice = Choice::Closed;
        changed.is_changed().then(|| changed.text().to_owned())
    }

    /// Takes the text in order to send it, and restores the draft that an edit or the history
    /// replaced.
    pub fn take_sent(&mut self) -> String {
        self.target = ComposeTarget::New;
        self.take_command()
    }

    /// Takes the text of a command. Unlike [`Self::sent`], keeps the reply or edit target.
    pub fn take_command(&mut self) -> String {
        self.choice = Choice::default();
        if let Some(before) = self.before.take() {
            return std::mem::replace(&mut self.editor, before).take();
        }
        self.changed.clear();
        let text = self.editor.take();
        if self.at.take().is_some() {
            self.editor = std::mem::take(&mut self.aside);
        }
        text
    }

    /// Returns the text to store as a draft. While the history is on screen, that is the draft it
    /// replaced.
    pub fn draft(&self) -> &str {
        let editor = self.before.as_ref().unwrap_or(&self.editor);
        match self.at {
            None => editor.text(),
            Some(_) if !self.aside.is_empty() => self.aside.text(),
            Some(_) if editor.is_changed() => editor.text(),
            Some(_) => "",
        }
    }

    /// Shows the previous history entry, unless a message is being edited.
    pub fn older(&mut self, history: &[String]) {
        if self.before.is_some() {
            return;
        }
        let at = self.at.unwrap_or(history.len()).min(history.len());
        if let Some(at) = at.checked_sub(1) {
            self.put_away();
            self.look_at(at, history);
        }
    }

    /// Shows the next history entry, and after the last one the draft.
    pub fn newer(&mut self, history: &[String]) {
        let Some(at) = self.at.filter(|_| self.before.is_none()) else {
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
    fn history_keeps_the_draft() {
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
    fn changed_history_entries_are_kept() {
        let (mut composer, history) = (Composer::default(), history());
        composer.older(&history);
        assert_eq!(composer.draft(), "", "a sent text is not a draft");
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
    fn edit_restores_the_draft() {
        let target = |seq: u64| MessageRef {
            seq: plenary_shared::ids::Seq::new(seq).expect("small"),
            cmid: None,
        };
        let (mut composer, history) = (Composer::new("draft".into()), history());
        assert_eq!(composer.edit(target(5), "old"), None);
        composer.older(&history);
        assert_eq!((composer.editor.text(), composer.draft()), ("old", "draft"));
        composer.editor.insert("er");
        assert_eq!(composer.edit(target(6), "x"), Some("older".to_owned()));
        assert_eq!(composer.cancel_target(), None, "nothing was changed in it");
        assert_eq!(composer.editor.text(), "draft");
        composer.older(&history);
        composer.edit(target(5), "old");
        assert_eq!(composer.take_sent(), "old");
        assert_eq!(
            (composer.editor.text(), composer.target()),
            ("two", ComposeTarget::New)
        );
        composer.reply(target(5));
        assert_eq!(composer.cancel_target(), None);
        assert_eq!(composer.editor.text(), "two", "an answer's text stays");
        composer.reply(target(5));
        composer.take_command();
        assert_eq!(composer.target(), ComposeTarget::Reply(target(5)));
    }

    #[test]
    fn sending_from_history_restores_the_draft() {
        let (mut composer, history) = (Composer::new("draft".into()), history());
        composer.older(&history);
        assert_eq!(composer.take_sent(), "two");
        assert_eq!(composer.editor.text(), "draft");
        assert_eq!(composer.take_sent(), "draft");
        assert!(composer.editor.is_empty());
    }
}
