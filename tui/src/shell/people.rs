//! `plenary people`: who is in, in the order of joining.

use plenary_shared::domain::Participant;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::PeopleOk;

use super::print::{BOLD, Cell, DIM, Style, cell, painted};
use super::{Failure, Shell};

/// One line for each participant.
pub async fn run(shell: &mut Shell, instance: InstanceId) -> Result<(), Failure> {
    let api = shell.api()?;
    let answer = api.people(instance).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let said: PeopleOk = answer.read(&api)?;
    let rows: Vec<Vec<Cell>> = said
        .participants
        .iter()
        .map(|participant| row(shell.style, participant))
        .collect();
    for line in shell.style.table(&rows) {
        shell.out.line(&line)?;
    }
    Ok(())
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
        cell(&participant.email),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::print::tests::PLAIN;
    use super::*;

    #[test]
    fn a_line_says_who_and_since_when() {
        let said: PeopleOk = serde_json::from_str(
            r#"{"participants":[
            {"name":"john","age":21,"gender":"male","email":"john@example.org","userID":1,
             "joined":"2026-05-06T11:00:00Z"},
            {"name":"日本\u0007","age":null,"gender":null,"email":"n@example.org","userID":12,
             "joined":"2026-05-06T11:00:01Z"}]}"#,
        )
        .expect("an answer");
        let rows: Vec<Vec<Cell>> = said.participants.iter().map(|p| row(PLAIN, p)).collect();
        insta::assert_snapshot!(PLAIN.table(&rows).join("\n"), @r"
        #1   john  since 2026-05-06 13:00:00  21  male  john@example.org
        #12  日本  since 2026-05-06 13:00:01  -   -     n@example.org
        ");
    }
}
