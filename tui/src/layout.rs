//! The panes of a screen of any size.

use ratatui::layout::Rect;

/// The width of the list of meetings and of the list of participants, in columns.
const SIDE: u16 = 24;
/// The most rows of the input.
pub const INPUT_ROWS_MAX: u16 = 6;
/// The columns before the text of the input: a blank, the prompt, a blank.
pub const PROMPT: u16 = 3;
/// The fewest rows of a chat that has a row for the mark that it is scrolled up.
const MARKED_ROWS_MIN: u16 = 4;
/// The width at which messages wrap: longer lines are hard to read.
pub const CHAT_COLUMNS_MAX: u16 = 100;

/// The arrangement of the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Meetings, chat and participants side by side.
    Three,
    /// Meetings and chat side by side; participants in a drawer.
    Two,
    /// A row of tabs above the chat; both lists in drawers.
    Tabs,
    /// Like `Tabs`, with each name on its own line.
    Narrow,
    /// A line that says that the screen is too small, and the input.
    Tiny,
}

/// A list that covers the chat on a narrow screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawer {
    /// The meetings, on the left.
    Meetings,
    /// The participants, on the right.
    People,
}

/// The lists beside the chat that are hidden, where there is room for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// The meetings.
    pub meetings: bool,
    /// The participants.
    pub people: bool,
}

/// The panes of the screen. A pane that does not fit is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    pub form: Form,
    pub tabs: Rect,
    pub title: Rect,
    /// The list of meetings, beside the chat or as a drawer.
    pub meetings: Rect,
    pub chat: Rect,
    /// The row below the chat that says that it is scrolled up.
    pub marker: Rect,
    /// The list of participants, beside the chat or as a drawer.
    pub people: Rect,
    pub rule: Rect,
    pub status: Rect,
    /// The row above the input that shows the message being replied to or edited.
    pub target: Rect,
    pub input: Rect,
    pub hints: Rect,
}

/// Returns the arrangement for a screen size.
pub fn form(columns: u16, rows: u16) -> Form {
    match columns {
        _ if columns < 20 || rows < 6 => Form::Tiny,
        120.. => Form::Three,
        90.. => Form::Two,
        60.. => Form::Tabs,
        _ => Form::Narrow,
    }
}

/// Returns the panes of a screen whose input has `input_rows` rows of text.
pub fn panes(
    columns: u16,
    rows: u16,
    input_rows: u16,
    hidden: Hidden,
    drawer: Option<Drawer>,
) -> Panes {
    let form = form(columns, rows);
    let row = |y: u16, height: u16| {
        let y = y.min(rows);
        Rect::new(0, y, columns, height.min(rows - y))
    };
    let mut panes = Panes::empty(form);
    if form == Form::Tiny {
        panes.status = row(0, rows.saturating_sub(1).min(1));
        panes.input = row(rows.saturating_sub(1), 1);
        return panes;
    }
    let sided = matches!(form, Form::Three | Form::Two);
    // The least important rows disappear first when the chat gets small.
    let tabs = u16::from(!sided && rows >= 12);
    let hints = u16::from(rows >= 8);
    let rule = u16::from(sided && rows >= 14);
    let input = input_rows.clamp(1, INPUT_ROWS_MAX.min(rows / 4).max(1));
    let body = rows - tabs - 1 - rule - 1 - input - hints;

    panes.tabs = row(0, tabs);
    panes.title = row(tabs, 1);
    let top = tabs + 1;
    panes.rule = row(top + body, rule);
    panes.status = row(top + body + rule, 1);
    panes.input = row(top + body + rule + 1, input);
    panes.hints = row(top + body + rule + 1 + input, hints);

    let (meetings, people) = match form {
        Form::Three => (SIDE, SIDE),
        Form::Two => (SIDE, 0),
        Form::Tabs | Form::Narrow | Form::Tiny => (0, 0),
    };
    let meetings = if hidden.meetings { 0 } else { meetings };
    let people = if hidden.people { 0 } else { people };
    let chat_x = if meetings > 0 { meetings + 1 } else { 0 };
    let chat_end = if people > 0 {
        columns - people - 1
    } else {
        columns
    };
    panes.meetings = Rect::new(0, top, meetings, body);
    panes.people = Rect::new(columns - people, top, people, body);
    panes.chat = Rect::new(chat_x, top, chat_end - chat_x, body);
    let drawn = SIDE.max(columns / 2).min(columns).min(40);
    match drawer {
        Some(Drawer::Meetings) if meetings == 0 => panes.meetings = Rect::new(0, top, drawn, body),
        Some(Drawer::People) if people == 0 => {
            panes.people = Rect::new(columns - drawn, top, drawn, body);
        }
        Some(Drawer::Meetings | Drawer::People) | None => {}
    }
    panes
}

/// Returns the panes of copy mode: the chat, the status line and the input.
pub fn plain(columns: u16, rows: u16) -> Panes {
    let mut panes = panes(columns, rows, 1, Hidden::default(), None);
    let none = Rect::new(0, 0, 0, 0);
    if panes.form == Form::Tiny {
        return panes;
    }
    panes.form = match panes.form {
        Form::Three | Form::Two | Form::Tabs => Form::Tabs,
        Form::Narrow | Form::Tiny => Form::Narrow,
    };
    (panes.tabs, panes.title, panes.rule, panes.hints) = (none, none, none, none);
    (panes.meetings, panes.people) = (none, none);
    panes.chat = Rect::new(0, 0, columns, rows - 2);
    panes.status = Rect::new(0, rows - 2, columns, 1);
    panes.input = Rect::new(0, rows - 1, columns, 1);
    panes
}

impl Panes {
    /// Returns panes without an area.
    fn empty(form: Form) -> Self {
        let none = Rect::new(0, 0, 0, 0);
        Self {
            form,
            tabs: none,
            title: none,
            meetings: none,
            chat: none,
            marker: none,
            people: none,
            rule: none,
            status: none,
            target: none,
            input: none,
            hints: none,
        }
    }

    /// Adds the row for the message being replied to or edited, if it fits.
    #[must_use]
    pub fn with_target(mut self) -> Self {
        if self.form == Form::Tiny || self.chat.height < 2 {
            return self;
        }
        for side in [&mut self.chat, &mut self.meetings, &mut self.people] {
            side.height = side.height.saturating_sub(1);
        }
        self.rule.y -= self.rule.height;
        self.status.y -= 1;
        self.target = Rect {
            y: self.input.y - 1,
            height: 1,
            ..self.input
        };
        self
    }

    /// Takes a row from the chat for the mark that it is scrolled up, if it stays large enough.
    #[must_use]
    pub fn with_marker(mut self) -> Self {
        if self.chat.height >= MARKED_ROWS_MIN {
            self.chat.height -= 1;
            self.marker = Rect {
                y: self.chat.bottom(),
                height: 1,
                ..self.chat
            };
        }
        self
    }

    /// Returns whether the list of meetings covers the chat.
    pub fn meetings_over_chat(&self) -> bool {
        self.meetings.width > 0 && self.chat.x == 0
    }

    /// Returns whether the list of participants covers the chat.
    pub fn people_over_chat(&self) -> bool {
        self.people.width > 0 && self.chat.right() > self.people.x
    }

    /// Returns the area of pages: the body without its tabs and title.
    pub fn over(&self) -> Rect {
        let (top, bottom) = (self.title.bottom(), self.status.y);
        Rect::new(0, top, self.status.width, bottom.saturating_sub(top))
    }

    /// Returns the width of the text of the input in columns.
    pub fn input_columns(&self) -> usize {
        usize::from(self.input.width.saturating_sub(PROMPT)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(120, 36, Form::Three, (25, 70, 30))]
    #[case(119, 36, Form::Two, (25, 94, 31))]
    #[case(90, 36, Form::Two, (25, 65, 31))]
    #[case(80, 24, Form::Tabs, (0, 80, 19))]
    #[case(60, 20, Form::Tabs, (0, 60, 15))]
    #[case(44, 20, Form::Narrow, (0, 44, 15))]
    #[case(20, 6, Form::Narrow, (0, 20, 3))]
    #[case(19, 6, Form::Tiny, (0, 0, 0))]
    fn the_chat(
        #[case] columns: u16,
        #[case] rows: u16,
        #[case] form: Form,
        #[case] (x, width, height): (u16, u16, u16),
    ) {
        let input_rows = if columns == 120 { 2 } else { 1 };
        let panes = panes(columns, rows, input_rows, Hidden::default(), None);
        assert_eq!(panes.form, form);
        assert_eq!(
            (panes.chat.x, panes.chat.width, panes.chat.height),
            (x, width, height)
        );
    }

    #[test]
    fn everything_is_on_the_screen_and_the_input_is_always_there() {
        for columns in 1..=200 {
            for rows in 1..=60 {
                for drawer in [None, Some(Drawer::Meetings), Some(Drawer::People)] {
                    let panes = panes(columns, rows, 9, Hidden::default(), drawer);
                    let panes = panes.with_target().with_marker();
                    assert!(
                        !panes.target.intersects(panes.status)
                            && !panes.target.intersects(panes.chat)
                    );
                    let screen = Rect::new(0, 0, columns, rows);
                    for pane in [
                        panes.tabs,
                        panes.title,
                        panes.meetings,
                        panes.chat,
                        panes.marker,
                        panes.people,
                        panes.rule,
                        panes.status,
                        panes.target,
                        panes.input,
                        panes.hints,
                    ] {
                        assert_eq!(
                            pane.intersection(screen),
                            pane,
                            "{columns}x{rows} {drawer:?}"
                        );
                    }
                    assert!(panes.input.height >= 1);
                }
            }
        }
    }
}
