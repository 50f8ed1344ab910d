//! `plenary participants`: lists participants in the order they joined.

use plenary_shared::domain::Participant;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::ParticipantsOk;

use super::style::{BOLD, Cell, DIM, Style, cell, painted};
use super::{Failure, Shell};

/// Prints one line for each participant.
pub async fn run(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let response = shell.api()?.participants(instance).await?;
    shell.print_table(&response, rows)
}

fn rows(style: Style, content: &ParticipantsOk) -> Vec<Vec<Cell>> {
    let row = |participant| row(style, participant);
    content.participants.iter().map(row).collect()
}

fn row(style: Style, participant: &Participant) -> Vec<Cell> {
    let age = participant.age.map(|years| years.to_string());
    let gender = participant.gender.map(|gender| gender.to_string());
    vec![
        painted(DIM, format!("#{}", participant.id)),
        painted(BOLD, &participant.name),
        cell(format!("since {}", style.moment(participant.joined))),
        cell(age.as_deref().unwrap_or("-")),
        cell(gender.as_deref().unwrap_or("-")),
        cell(participant.email.as_deref().unwrap_or("-")),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::style::tests::PLAIN;
    use super::*;

    #[test]
    fn line_has_user_and_join_time() {
        let content: ParticipantsOk = serde_json::from_str(
            r#"{"participants":[
            {"name":"john","age":21,"gender":"male","email":"john@example.org","userID":1,
             "joined":"2026-05-06T11:00:00Z"},
            {"name":"日本\u0007","age":null,"gender":null,"email":"n@example.org","userID":12,
             "joined":"2026-05-06T11:00:01Z"},
            {"name":"grace","userID":13,"joined":"2026-05-06T11:00:02Z"}]}"#,
        )
        .expect("a response");
        insta::assert_snapshot!(PLAIN.table(&rows(PLAIN, &content)).join("\n"), @r"
        #1   john   since 2026-05-06 13:00:00  21  male  john@example.org
        #12  日本   since 2026-05-06 13:00:01  -   -     n@example.org
        #13  grace  since 2026-05-06 13:00:02  -   -     -
        ");
    }
}
