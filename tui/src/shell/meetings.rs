//! `plenary meetings`: the active, the coming and the lately ended ones.

use plenary_shared::domain::{Instance, InstanceState};
use plenary_shared::protocol::MeetingsOk;

use super::print::{BOLD, Cell, DIM, GREEN, Style, YELLOW, cell, painted};
use super::{Failure, Shell};

/// One line for each instance.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.meetings().await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let said: MeetingsOk = answer.read(&api)?;
    let rows: Vec<Vec<Cell>> = said
        .meetings
        .iter()
        .map(|instance| row(shell.style, instance))
        .collect();
    for line in shell.style.table(&rows) {
        shell.out.line(&line)?;
    }
    Ok(())
}

fn row(style: Style, instance: &Instance) -> Vec<Cell> {
    let sgr = match instance.state {
        InstanceState::Active => GREEN,
        InstanceState::Ending => YELLOW,
        InstanceState::Scheduled => "",
        InstanceState::Ended => DIM,
    };
    let here = match instance.joined {
        Some(_) => format!("{} in, you too", instance.participants),
        None => format!("{} in", instance.participants),
    };
    vec![
        painted(BOLD, instance.id.to_string()),
        painted(
            sgr,
            if instance.cancelled {
                "cancelled"
            } else {
                instance.state.as_str()
            },
        ),
        cell(style.span(instance.fromdatetime, instance.todatetime)),
        cell(here),
        cell(if instance.is_public {
            "public"
        } else {
            "private"
        }),
        painted(BOLD, &instance.title),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::print::tests::PLAIN;
    use super::*;

    #[test]
    fn a_line_says_what_one_needs_to_join() {
        let said: MeetingsOk = serde_json::from_str(
            r#"{"now":"2026-05-06T11:00:00Z","meetings":[
            {"meetingID":1,"orderID":4,"title":"BDMS\nCourse \u001b[2J","description":"","isPublic":false,
             "fromdatetime":"2026-05-06T11:00:00Z","todatetime":"2026-05-06T11:45:00Z",
             "state":"active","participants":3,"joined":"2026-05-06T11:01:00Z"},
            {"meetingID":30,"orderID":12,"title":"Seminar","description":"","isPublic":true,
             "fromdatetime":"2026-05-06T21:00:00Z","todatetime":"2026-05-06T22:45:00Z",
             "state":"scheduled","participants":0}]}"#,
        )
        .expect("an answer");
        let rows: Vec<Vec<Cell>> = said.meetings.iter().map(|i| row(PLAIN, i)).collect();
        insta::assert_snapshot!(PLAIN.table(&rows).join("\n"), @r"
        1/4    active     2026-05-06 13:00–13:45             3 in, you too  private  BDMS Course [2J
        30/12  scheduled  2026-05-06 23:00–2026-05-07 00:45  0 in           public   Seminar
        ");
    }
}
