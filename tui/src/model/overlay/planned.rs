//! All of one meeting as it is planned, and what is to be known of what was just planned.

use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{ImportReport, PlanOk, Planned};
use ratatui::text::{Line, Span};

use crate::clock::Zone;
use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// Columns of one address in the list of them.
const ADDRESS_CELLS: usize = 36;

/// What stands in the frame of a meeting.
pub(super) fn title(model: &Model, id: MeetingId) -> String {
    let title = planned(model, id).map(|planned| text::one_line(&planned.meeting.title));
    format!("{} {id}", title.unwrap_or_default())
}

/// All of one meeting.
pub(super) fn rows(model: &Model, columns: usize, id: MeetingId) -> Vec<Line<'static>> {
    let Some(Planned {
        meeting,
        audience,
        instances,
    }) = planned(model, id)
    else {
        return super::nothing(model, " it is not in the schedule any more");
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
        let when = span(model.zone, instance.fromdatetime, instance.todatetime);
        let state = match &instance.reason {
            Some(reason) => format!("{}: {}", instance.state, text::one_line(reason)),
            None => instance.state.to_string(),
        };
        rows.push(Line::from(vec![
            Span::styled(format!(" {:<8}", instance.id.to_string()), strong),
            Span::raw(text::fit(
                &format!("{when}  {state}"),
                columns.saturating_sub(10),
                model.theme.glyphs.cut,
            )),
        ]));
    }
    if instances.is_empty() {
        rows.push(Line::styled(" it has no time yet", quiet));
    }
    rows.push(Line::default());
    if meeting.is_public {
        rows.push(Line::styled(" everybody may join who can sign in", quiet));
        return rows;
    }
    let head = format!(
        " {} may join",
        text::count(audience.len(), "address", "addresses")
    );
    rows.push(Line::styled(head, quiet));
    let beside = (columns / ADDRESS_CELLS).max(1);
    let cells = columns / beside;
    rows.extend(audience.chunks(beside).map(|some| {
        let some = some.iter().map(|address| {
            let said = format!(" {}", text::one_line(address));
            text::left(&said, cells, model.theme.glyphs.cut)
        });
        Line::raw(some.collect::<String>())
    }));
    rows
}

/// What is to be known of what was just planned: who is expected elsewhere, what was no address.
pub(super) fn event(model: &Model, columns: usize, ok: &PlanOk) -> Vec<Line<'static>> {
    let cut = model.theme.glyphs.cut;
    let mut rows = Vec::new();
    if let Some(ImportReport {
        added,
        known,
        removed,
        wrong,
    }) = &ok.report
    {
        rows.push(Line::styled(
            format!(" {added} added, {known} were there already, {removed} taken out"),
            model.theme.style(Tone::Strong),
        ));
        for one in wrong {
            let said = format!(
                " line {}: {}: {}",
                one.line,
                text::one_line(&one.text),
                text::one_line(&one.why)
            );
            rows.push(Line::styled(
                text::fit(&said, columns, cut),
                model.theme.style(Tone::Bad),
            ));
        }
        rows.push(Line::default());
    }
    if !ok.overlaps.is_empty() {
        let said = " at the same time, for some of the same people:";
        rows.push(Line::styled(said, model.theme.style(Tone::Soon)));
    }
    for overlap in &ok.overlaps {
        let when = span(model.zone, overlap.fromdatetime, overlap.todatetime);
        let said = format!(
            " {} {}  {when}",
            text::one_line(&overlap.title),
            overlap.instance
        );
        rows.push(Line::raw(text::fit(&said, columns, cut)));
        let people: Vec<String> = overlap
            .people
            .iter()
            .map(|one| text::one_line(one))
            .collect();
        let more = if usize::try_from(overlap.shared).is_ok_and(|all| all > people.len()) {
            cut
        } else {
            ""
        };
        let said = format!("   {} at both: {}{more}", overlap.shared, people.join(", "));
        rows.push(Line::styled(
            text::fit(&said, columns, cut),
            model.theme.style(Tone::Quiet),
        ));
    }
    rows
}

fn planned(model: &Model, id: MeetingId) -> Option<&Planned> {
    model.planning()?.meetings.get(&id)
}

/// `Tue 24 Nov 2026 13:30-14:15`; over midnight with both days.
fn span(
    zone: Zone,
    from: plenary_shared::time::Timestamp,
    to: plenary_shared::time::Timestamp,
) -> String {
    let day = zone.day_title(from);
    if zone.day(from) == zone.day(to) {
        format!("{day} {}-{}", zone.hm(from), zone.hm(to))
    } else {
        format!(
            "{day} {} - {} {}",
            zone.hm(from),
            zone.day_title(to),
            zone.hm(to)
        )
    }
}
