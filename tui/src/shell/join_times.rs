//! `plenary join-times`: lists when the participants of active meetings joined.

use plenary_shared::protocol::JoinTimesOk;

use super::style::{BOLD, Cell, DIM, Style, cell, painted};
use super::{Failure, Shell};

/// Prints one line for each participant of each active instance.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let response = shell.api()?.join_times().await?;
    shell.print_table(&response, rows)
}

fn rows(style: Style, content: &JoinTimesOk) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for meeting in &content.meetings {
        for log in &meeting.join_logs {
            rows.push(vec![
                painted(BOLD, meeting.instance.to_string()),
                cell(style.moment(log.timestamp)),
                painted(DIM, format!("#{}", log.user)),
                painted(BOLD, &log.name),
                cell(&meeting.meeting),
            ]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::style::tests::PLAIN;
    use super::*;

    #[test]
    fn line_has_instance_time_and_user() {
        let content: JoinTimesOk = serde_json::from_str(
            r#"{"active_meetings_participants_join_logs":[
            {"meeting":"BDMS\u202eCourse","meetingID":1,"orderID":4,"join_logs":[
              {"userID":1,"eventType":"join","timestamp":"2026-05-06T11:00:00Z","name":"john"},
              {"userID":2,"eventType":"join","timestamp":"2026-05-06T11:00:01Z","name":"hamid"}]},
            {"meeting":"Nobody","meetingID":2,"orderID":1,"join_logs":[]}]}"#,
        )
        .expect("a response");
        insta::assert_snapshot!(PLAIN.table(&rows(PLAIN, &content)).join("\n"), @r"
        1/4  2026-05-06 13:00:00  #1  john   BDMS<U+202E>Course
        1/4  2026-05-06 13:00:01  #2  hamid  BDMS<U+202E>Course
        ");
    }
}
