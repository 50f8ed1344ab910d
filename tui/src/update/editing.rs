//! Editing: keys in the focused input, pastes, and the external editor.

use plenary_shared::ids::InstanceId;

use super::Step;
use crate::command::EditCommand;
use crate::effect::Effect;
use crate::model::Cause;
use crate::model::choice::{Choice, finished_emoji};
use crate::model::editor::{Editor, KillRing};
use crate::model::layer::finder::Finder;
use crate::model::layer::{Chat, Layer};
use crate::text;
use crate::theme::Tone;

/// Delay between a change of a draft and storing it.
const DRAFT_DELAY_MS: i64 = 1_000;
/// Size limit of an input in bytes: several messages, so that a long paste can be shortened.
const INPUT_BYTES_MAX: usize = 64 * 1_024;

impl Step<'_> {
    /// A text was pasted.
    pub(crate) fn pasted(&mut self, pasted: &str) {
        if !self.has_room(pasted.len()) {
            return;
        }
        let is_message = self.is_message_written();
        let Some((editor, _)) = self.editor() else {
            return self.swallow();
        };
        if is_message {
            editor.insert(pasted);
        } else {
            editor.insert(&pasted.replace(['\n', '\r', '\t'], " "));
        }
        self.edited();
    }

    /// A character was typed.
    pub(super) fn write(&mut self, c: char) {
        if !self.has_room(c.len_utf8()) {
            return;
        }
        self.change(|editor, _| editor.write(c));
        let is_message = self.is_message_written();
        if c == ':'
            && is_message
            && let Some((editor, _)) = self.editor()
            && let Some((start, emoji)) = finished_emoji(editor.before())
        {
            // Undo restores the short code.
            editor.complete(start, emoji);
            self.edited();
        }
    }

    /// The text field that takes the typing, with its kill ring: that of the top layer.
    pub(crate) fn editor(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        let model = &mut *self.model;
        match model.layers.top_mut() {
            Layer::Chat(_) => {
                let composer = model.inputs.composers.entry(model.shown).or_default();
                Some((&mut composer.editor, &mut model.inputs.kill_ring))
            }
            layer => layer.editor(),
        }
    }

    /// Moves the cursor in the text, or changes the text.
    pub(super) fn edit(&mut self, command: EditCommand) {
        let cells = self.model.panes().input_columns();
        let is_message = self.is_message_written();
        let Some((editor, _)) = self.editor() else {
            return;
        };
        match command {
            EditCommand::NewLine => self.write('\n'),
            EditCommand::Up if is_message && !editor.up(cells) => self.show_history(true),
            EditCommand::Down if is_message && !editor.down(cells) => self.show_history(false),
            EditCommand::Up | EditCommand::Down => {}
            EditCommand::Left => editor.left(),
            EditCommand::Right => editor.right(),
            EditCommand::WordLeft => editor.word_left(),
            EditCommand::WordRight => editor.word_right(),
            EditCommand::LineStart => editor.line_start(),
            EditCommand::LineEnd if is_message && editor.is_empty() => self.scroll_newest(),
            EditCommand::LineEnd => editor.line_end(),
            EditCommand::TextStart => editor.text_start(),
            EditCommand::TextEnd => editor.text_end(),
            EditCommand::DeleteLeft => self.change(|editor, _| editor.delete_left()),
            EditCommand::DeleteRight => self.change(|editor, _| editor.delete_right()),
            EditCommand::CutToBlank => self.change(Editor::cut_to_blank),
            EditCommand::CutWordLeft => self.change(Editor::cut_word),
            EditCommand::CutWordRight => self.change(Editor::cut_word_right),
            EditCommand::CutToStart => self.change(Editor::cut_to_start),
            EditCommand::CutToEnd => self.change(Editor::cut_to_end),
            EditCommand::Yank => self.change(|editor, ring| editor.yank(ring)),
            EditCommand::YankOlder => self.try_to(
                |editor, ring| editor.yank_older(ring),
                "Nothing to replace; yank first",
            ),
            EditCommand::Transpose => self.change(|editor, _| editor.transpose()),
            EditCommand::Undo => self.try_to(|editor, _| editor.undo(), "Nothing to undo"),
            EditCommand::Redo => self.try_to(|editor, _| editor.redo(), "Nothing to redo"),
        }
    }

    /// Changes the text that takes the typing, if there is one.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Editor, &mut KillRing)) {
        if let Some((editor, ring)) = self.editor() {
            change(editor, ring);
            self.edited();
        }
    }

    /// Schedules storing the drafts.
    pub(super) fn drafts_changed(&mut self) {
        let due = self.model.now.plus_ms(DRAFT_DELAY_MS);
        self.model.inputs.drafts_due.get_or_insert(due);
    }

    /// Clears a sent message from the input and adds it to the history.
    pub(super) fn clear_sent(&mut self, at: Option<InstanceId>) {
        let text = self
            .model
            .inputs
            .composers
            .entry(at)
            .or_default()
            .take_sent();
        self.remember(at, text);
    }

    /// Clears an executed command from the input and adds it to the history.
    pub(super) fn clear_command(&mut self, at: Option<InstanceId>) {
        let text = self
            .model
            .inputs
            .composers
            .entry(at)
            .or_default()
            .take_command();
        self.remember(at, text);
    }

    fn remember(&mut self, at: Option<InstanceId>, text: String) {
        if self.model.inputs.history.add(at, text.clone())
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
        let composer = self.model.inputs.composers.entry(at).or_default();
        if composer.editor.text() != written {
            composer.editor.set(written);
            self.drafts_changed();
        }
    }

    /// Whether the typing goes into a message: the one text that may have line breaks.
    fn is_message_written(&self) -> bool {
        self.model.layers.is_top::<Chat>()
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let Some((editor, _)) = self.editor() else {
            return true;
        };
        let fits = editor.text().len() + bytes <= INPUT_BYTES_MAX;
        if !fits {
            let why = format!(
                "Input is full (limit {} bytes)",
                text::number(INPUT_BYTES_MAX)
            );
            self.model.tell(Tone::Bad, why);
        }
        fits
    }

    fn show_history(&mut self, older: bool) {
        let model = &mut *self.model;
        let history = model.inputs.history.of(model.shown);
        let composer = model.inputs.composers.entry(model.shown).or_default();
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
        let Some((editor, ring)) = self.editor() else {
            return;
        };
        if change(editor, ring) {
            self.edited();
        } else {
            self.model.tell(Tone::Plain, otherwise);
        }
    }

    fn edited(&mut self) {
        if let Some(find) = self.model.layers.get_mut::<Finder>() {
            find.selected = 0;
        } else if let Layer::Page(page) = self.model.layers.top_mut() {
            page.scroll = 0;
        } else if self.is_message_written() {
            let composer = self.model.composer_mut();
            composer.choice = Choice::Open;
            if composer.editor.is_empty() {
                // The text that a notice was about is gone.
                self.model.end_notice_of(Cause::Command);
            }
            self.report_typing();
            self.drafts_changed();
        }
    }
}
