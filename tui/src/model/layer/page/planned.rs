//! The page about a planned meeting, and the report after a change of the schedule.

use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{ImportReport, PlanOk, PlannedMeeting};
use plenary_shared::time::Timestamp;
use ratatui::text::{Line, Span};

use crate::clock::Zone;
use crate::model::Model;
use crate::model::layer::schedule::Schedule;
use crate::text;
use crate::theme::Tone;

/// Columns of an email in the list of the audience.
const EMAIL_CELLS: usize = 36;

/// The title and number of a meeting.
pub(super) fn title(model: &Model, id: MeetingId) -> String {
    let title = planned(model, id).map(|planned| text::one_line(&planned.meeting.title));
    format!("{} {id}", title.unwrap_or_default())
}

/// The description, instances and audience of a meeting.
pub(super) fn rows(model: &Model, columns: usize, id: MeetingId) -> Vec<Line<'static>> {
    let Some(PlannedMeeting {
        meeting,
        audience,
        instances,
    }) = planned(model, id)
    else {
        return super::nothing(model, " No longer in the schedule");
    };
    let quiet = model.theme.style(Tone::Quiet);
    let strong = model.theme.style(Tone::Strong);
    let mut rows = Vec::new();
    for line in text::lines(&meeting.description) {
        let wrapped = text::wrap(&line, columns.saturating_sub(2).max(2));
        rows.extend(wrapped.into_iter().map(|row| Line::raw(format!(" {row}"))));
    }
    if !rows.is_empty() {
        rows.push(Line::default());
    }
    for instance in instances {
        let time = span(model.zone, instance.fromdatetime, instance.end());
        let state = match &instance.reason {
            Some(reason) => format!("{}: {}", instance.state, text::one_line(reason)),
            None => instance.state.to_string(),
        };
        rows.push(Line::from(vec![
            Span::styled(format!(" {:<8}", instance.id.to_string()), strong),
            Span::raw(text::fit(
                &format!("{time}  {state}"),
                columns.saturating_sub(10),
                model.theme.glyphs.cut,
            )),
        ]));
    }
    if instances.is_empty() {
        rows.push(Line::styled(" No instances yet", quiet));
    }
    rows.push(Line::default());
    if meeting.is_public {
        rows.push(Line::styled(" Public: every user can join", quiet));
        return rows;
    }
    let users = text::count(audience.len(), "user", "users");
    rows.push(Line::styled(format!(" Audience: {users}"), quiet));
    let per_row = (columns / EMAIL_CELLS).max(1);
    let cells = columns / per_row;
    rows.extend(audience.chunks(per_row).map(|emails| {
        let emails = emails.iter().map(|email| {
            let email = format!(" {}", text::one_line(email));
            text::left(&email, cells, model.theme.glyphs.cut)
        });
        Line::raw(emails.collect::<String>())
    }));
    rows
}

pub(super) const fn report_title(ok: &PlanOk) -> &'static str {
    match ok.report {
        Some(_) => "Import report",
        None => "Overlapping meetings",
    }
}

/// The result of an import, and the meetings that overlap with the changed one.
pub(super) fn report(model: &Model, columns: usize, ok: &PlanOk) -> Vec<Line<'static>> {
    let cut = model.theme.glyphs.cut;
    let fit = |text: &str, tone: Tone| {
        Line::styled(text::fit(text, columns, cut), model.theme.style(tone))
    };
    let mut rows = Vec::new();
    if let Some(ImportReport {
        added,
        existing: known,
        removed,
        rejected: wrong,
    }) = &ok.report
    {
        let counts = format!(" {added} added, {known} unchanged, {removed} removed");
        rows.push(Line::styled(counts, model.theme.style(Tone::Strong)));
        rows.extend(wrong.iter().map(|one| {
            let (line, why) = (text::one_line(&one.text), text::one_line(&one.reason));
            fit(&format!(" line {}: {line}: {why}", one.line), Tone::Bad)
        }));
        rows.push(Line::default());
    }
    if !ok.overlaps.is_empty() {
        let head = " At the same time, with some of the same users:";
        rows.push(Line::styled(head, model.theme.style(Tone::Soon)));
    }
    for overlap in &ok.overlaps {
        let time = span(model.zone, overlap.fromdatetime, overlap.todatetime);
        let title = text::one_line(&overlap.title);
        rows.push(fit(
            &format!(" {title} {}  {time}", overlap.instance),
            Tone::Plain,
        ));
        let emails: Vec<String> = overlap
            .emails
            .iter()
            .map(|one| text::one_line(one))
            .collect();
        let more = if usize::try_from(overlap.shared_users).is_ok_and(|all| all > emails.len()) {
            cut
        } else {
            ""
        };
        let text = format!(
            "   {} in both: {}{more}",
            overlap.shared_users,
            emails.join(", ")
        );
        rows.push(fit(&text, Tone::Quiet));
    }
    rows
}

fn planned(model: &Model, id: MeetingId) -> Option<&PlannedMeeting> {
    model.layers.get::<Schedule>()?.meetings.get(&id)
}

/// `Tue 24 Nov 2026 13:30-14:15`; with both days if they differ.
fn span(zone: Zone, from: Timestamp, to: Timestamp) -> String {
    let day = zone.day_title(from);
    let (start, end) = (zone.hm(from), zone.hm(to));
    if zone.day(from) == zone.day(to) {
        format!("{day} {start}-{end}")
    } else {
        format!("{day} {start} - {} {end}", zone.day_title(to))
    }
}
