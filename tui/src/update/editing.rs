//! Editing: keys in the focused input, pastes, and the external editor.

use plenary_shared::ids::InstanceId;

use super::Step;
use crate::command::{Command, Context};
use crate::effect::Effect;
use crate::model::choice::Choice;
use crate::model::editor::{Editor, KillRing};
use crate::text;
use crate::theme::Tone;

/// Delay between a change of a draft and storing it.
const DRAFT_DELAY_MS: i64 = 1_000;
/// Size limit of an input in bytes: several messages, so that a long paste can be shortened.
const INPUT_BYTES_MAX: usize = 64 * 1_024;

impl Step<'_> {
    /// Inserts a paste.
    pub(super) fn pasted(&mut self, pasted: &str) {
        if self.has_no_input() || !self.has_room(pasted.len()) {
            return;
        }
        if self.is_one_line() {
            let pasted = pasted.replace(['\n', '\r', '\t'], " ");
            self.editor().0.insert(&pasted);
        } else {
            self.editor().0.insert(pasted);
        }
        self.edited();
    }

    /// Types a character.
    pub(super) fn write(&mut self, c: char) {
        if self.has_room(c.len_utf8()) {
            self.editor().0.write(c);
            self.edited();
        }
    }

    /// Returns the focused editor and its kill ring.
    pub(super) fn editor(&mut self) -> (&mut Editor, &mut KillRing) {
        let model = &mut *self.model;
        let covered = model.sign_in.is_some() || model.find.is_some();
        let seeks = model.seek.as_ref().is_some_and(|seek| !seek.jumped);
        if let Some(board) = model.dashboard.as_mut().filter(|board| !board.in_chat)
            && !covered
            && !seeks
            && let Some(editor) = board.editor()
        {
            return editor;
        }
        let query = model.select.as_mut().and_then(|s| s.query.as_mut());
        let seek = model.seek.as_mut().filter(|seek| !seek.jumped);
        match (&mut model.sign_in, &mut model.find, seek, query) {
            (Some(form), _, _, _) => form.editor_mut(),
            (None, Some(find), _, _) => (&mut find.query, &mut find.ring),
            (None, None, Some(seek), _) => (&mut seek.query, &mut seek.ring),
            (None, None, None, Some(query)) => (&mut query.editor, &mut query.ring),
            (None, None, None, None) => {
                let composer = model.composers.entry(model.shown).or_default();
                (&mut composer.editor, &mut model.kill_ring)
            }
        }
    }

    /// Applies an editing command.
    pub(super) fn edit(&mut self, command: Command) {
        let cells = self.model.panes().input_columns();
        let composing = !self.is_one_line();
        if composing && command == Command::LineEnd && self.editor().0.is_empty() {
            return self.scroll_newest();
        }
        match command {
            Command::NewLine => self.new_line(),
            Command::Up if composing && !self.editor().0.up(cells) => self.show_history(true),
            Command::Down if composing && !self.editor().0.down(cells) => self.show_history(false),
            Command::Left => self.editor().0.left(),
            Command::Right => self.editor().0.right(),
            Command::WordLeft => self.editor().0.word_left(),
            Command::WordRight => self.editor().0.word_right(),
            Command::LineStart => self.editor().0.line_start(),
            Command::LineEnd => self.editor().0.line_end(),
            Command::TextStart => self.editor().0.text_start(),
            Command::TextEnd => self.editor().0.text_end(),
            Command::DeleteLeft => self.change(|editor, _| editor.delete_left()),
            Command::DeleteRight => self.change(|editor, _| editor.delete_right()),
            Command::DeleteToBlank => self.change(Editor::cut_to_blank),
            Command::DeleteWord => self.change(Editor::cut_word),
            Command::DeleteWordRight => self.change(Editor::cut_word_right),
            Command::DeleteToStart => self.change(Editor::cut_to_start),
            Command::DeleteToEnd => self.change(Editor::cut_to_end),
            Command::Yank => self.change(|editor, ring| editor.yank(ring)),
            Command::YankOlder => self.try_to(
                |editor, ring| editor.yank_older(ring),
                "Nothing to replace; yank first",
            ),
            Command::Transpose => self.change(|editor, _| editor.transpose()),
            Command::Undo => self.try_to(|editor, _| editor.undo(), "Nothing to undo"),
            Command::Redo => self.try_to(|editor, _| editor.redo(), "Nothing to redo"),
            _ => {}
        }
    }

    /// Applies a change to the text.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Editor, &mut KillRing)) {
        let (editor, ring) = self.editor();
        change(editor, ring);
        self.edited();
    }

    /// Schedules storing the drafts.
    pub(super) fn drafts_changed(&mut self) {
        let due = self.model.now.plus_ms(DRAFT_DELAY_MS);
        self.model.drafts_due.get_or_insert(due);
    }

    /// Clears a sent message from the input and adds it to the history.
    pub(super) fn clear_sent(&mut self, at: Option<InstanceId>) {
        let text = self.model.composers.entry(at).or_default().take_sent();
        self.remember(at, text);
    }

    /// Clears an executed command from the input and adds it to the history.
    pub(super) fn clear_command(&mut self, at: Option<InstanceId>) {
        let text = self.model.composers.entry(at).or_default().take_command();
        self.remember(at, text);
    }

    fn remember(&mut self, at: Option<InstanceId>, text: String) {
        if self.model.history.add(at, text.clone())
            && let Some(id) = at
        {
            let meeting = id.meeting;
            self.out.push(Effect::AppendHistory { meeting, text });
        }
        self.drafts_changed();
    }

    /// Opens the input in the external editor.
    pub(super) fn open_editor(&mut self) {
        let at = self.model.shown;
        let text = self.model.composer_mut().editor.text().to_owned();
        self.save_drafts();
        self.out.push(Effect::Edit { at, text });
    }

    /// Takes the text from the external editor.
    pub(super) fn editor_closed(&mut self, at: Option<InstanceId>, written: &str) {
        if written.len() > INPUT_BYTES_MAX {
            let (bytes, max) = (text::number(written.len()), text::number(INPUT_BYTES_MAX));
            let why = format!("Text too long ({bytes} bytes, limit {max})");
            return self.model.tell(Tone::Bad, why);
        }
        let composer = self.model.composers.entry(at).or_default();
        if composer.editor.text() != written {
            composer.editor.set(written);
            self.drafts_changed();
        }
    }

    /// Returns whether the dashboard covers every input.
    pub(super) fn has_no_input(&self) -> bool {
        let model = &*self.model;
        model.shows_dashboard()
            && model.sign_in.is_none()
            && !model.contexts().contains(&Context::Edit)
    }

    /// Returns whether the focused input has a single line.
    fn is_one_line(&self) -> bool {
        let model = &*self.model;
        model.sign_in.is_some()
            || model.find.is_some()
            || model.seeks()
            || model.shows_dashboard()
            || model.query().is_some()
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let fits = self.editor().0.text().len() + bytes <= INPUT_BYTES_MAX;
        if !fits {
            let why = format!(
                "Input is full (limit {} bytes)",
                text::number(INPUT_BYTES_MAX)
            );
            self.model.tell(Tone::Bad, why);
        }
        fits
    }

    fn new_line(&mut self) {
        if !self.is_one_line() {
            self.write('\n');
        }
    }

    fn show_history(&mut self, older: bool) {
        let model = &mut *self.model;
        let history = model.history.of(model.shown);
        let composer = model.composers.entry(model.shown).or_default();
        if older {
            composer.older(history);
        } else {
            composer.newer(history);
        }
        composer.choice = Choice::Closed;
    }

    fn try_to(
        &mut self,
        change: impl FnOnce(&mut Editor, &mut KillRing) -> bool,
        otherwise: &'static str,
    ) {
        let (editor, ring) = self.editor();
        if change(editor, ring) {
            self.edited();
        } else {
            self.model.tell(Tone::Plain, otherwise);
        }
    }

    fn edited(&mut self) {
        if let Some(find) = &mut self.model.find {
            find.selected = 0;
        } else if !self.is_one_line() {
            self.model.composer_mut().choice = Choice::Open;
            self.report_typing();
            self.drafts_changed();
        }
    }
}
