//! `plenary join-times`: when the participants of every active meeting joined.

use plenary_shared::protocol::JoinTimesOk;

use super::print::{BOLD, Cell, DIM, Style, cell, painted};
use super::{Failure, Shell};

/// One line for each participant of each active instance.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.join_times().await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let said: JoinTimesOk = answer.read(&api)?;
    for line in shell.style.table(&rows(shell.style, &said)) {
        shell.out.line(&line)?;
    }
    Ok(())
}

fn rows(style: Style, said: &JoinTimesOk) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for meeting in &said.meetings {
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
    use super::super::print::tests::PLAIN;
    use super::*;

    #[test]
    fn a_line_says_where_when_and_who() {
        let said: JoinTimesOk = serde_json::from_str(
            r#"{"active_meetings_participants_join_logs":[
            {"meeting":"BDMS\u202eCourse","meetingID":1,"orderID":4,"join_logs":[
              {"userID":1,"eventType":"join","timestamp":"2026-05-06T11:00:00Z","name":"john"},
              {"userID":2,"eventType":"join","timestamp":"2026-05-06T11:00:01Z","name":"hamid"}]},
            {"meeting":"Nobody","meetingID":2,"orderID":1,"join_logs":[]}]}"#,
        )
        .expect("an answer");
        insta::assert_snapshot!(PLAIN.table(&rows(PLAIN, &said)).join("\n"), @r"
        1/4  2026-05-06 13:00:00  #1  john   BDMS<U+202E>Course
        1/4  2026-05-06 13:00:01  #2  hamid  BDMS<U+202E>Course
        ");
    }
}
