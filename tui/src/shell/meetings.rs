//! `plenary meetings`: lists active, upcoming and recently ended instances.

use plenary_shared::domain::{Instance, InstanceState};
use plenary_shared::protocol::MeetingsOk;

use super::style::{BOLD, Cell, DIM, GREEN, Style, YELLOW, cell, painted};
use super::{Failure, Shell};

/// Prints one line for each instance.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let response = shell.api()?.meetings().await?;
    shell.print_table(&response, rows)
}

fn rows(style: Style, content: &MeetingsOk) -> Vec<Vec<Cell>> {
    let row = |instance| row(style, instance);
    content.meetings.iter().map(row).collect()
}

fn row(style: Style, instance: &Instance) -> Vec<Cell> {
    let (state, sgr) = match instance.state {
        _ if instance.cancelled => ("cancelled", DIM),
        InstanceState::Active => ("active", GREEN),
        InstanceState::Ending => ("ending", YELLOW),
        InstanceState::Scheduled => ("scheduled", ""),
        InstanceState::Ended => ("ended", DIM),
    };
    let here = match instance.joined {
        Some(_) => format!("{} here (joined)", instance.participants),
        None => format!("{} here", instance.participants),
    };
    let visibility = if instance.is_public {
        "public"
    } else {
        "private"
    };
    vec![
        painted(BOLD, instance.id.to_string()),
        painted(sgr, state),
        cell(style.span(instance.fromdatetime, instance.end())),
        cell(here),
        cell(visibility),
        painted(BOLD, &instance.title),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::style::tests::PLAIN;
    use super::*;

    #[test]
    fn line_has_what_is_needed_to_join() {
        let content: MeetingsOk = serde_json::from_str(
            r#"{"now":"2026-05-06T11:00:00Z","meetings":[
            {"meetingID":1,"orderID":4,"title":"BDMS\nCourse \u001b[2J","description":"","isPublic":false,
             "fromdatetime":"2026-05-06T11:00:00Z","todatetime":"2026-05-06T11:45:00Z",
             "state":"active","participants":3,"joined":"2026-05-06T11:01:00Z"},
            {"meetingID":30,"orderID":12,"title":"Seminar","description":"","isPublic":true,
             "fromdatetime":"2026-05-06T21:00:00Z","todatetime":"2026-05-06T22:45:00Z",
             "state":"scheduled","participants":0}]}"#,
        )
        .expect("a response");
        insta::assert_snapshot!(PLAIN.table(&rows(PLAIN, &content)).join("\n"), @r"
        1/4    active     2026-05-06 13:00–13:45             3 here (joined)  private  BDMS Course [2J
        30/12  scheduled  2026-05-06 23:00–2026-05-07 00:45  0 here           public   Seminar
        ");
    }
}
