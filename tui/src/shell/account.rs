//! `plenary password` and `plenary sessions`: the user's own account.

use std::io::{self, BufRead as _};

use plenary_shared::limits::PASSWORD_BYTES_MAX;
use plenary_shared::protocol::{PasswordBody, SessionListed, SessionsOk};
use reqwest::Method;
use serde_json::{Value, json};

use super::style::{BOLD, Cell, DIM, Style, cell, painted};
use super::{Failure, Shell, prompt};
use crate::command_line::{Password, Sessions};

/// Changes the password, which ends the other sessions.
pub async fn password(shell: &mut Shell, args: Password) -> Result<(), Failure> {
    let api = shell.api()?;
    let (old, new) = if args.password_stdin {
        two_lines()?
    } else if prompt::can_ask() {
        let old = prompt::ask_secret("Old password")?;
        let new = prompt::ask_secret("New password")?;
        if prompt::ask_secret("New password again")? != new {
            return Err(Failure::usage("The new passwords differ. Try again."));
        }
        (old, new)
    } else {
        return Err(Failure::usage(
            "Cannot prompt for the passwords without a terminal: use --password-stdin.",
        ));
    };
    let me = api.me().await?;
    let body = PasswordBody {
        password: Some(new),
        old_password: Some(old),
    };
    let response = api
        .user_request(Method::PUT, me.id, "password", &json!(body))
        .await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    shell
        .out
        .line("password changed, your other sessions have ended")
}

/// Lists the sessions, or ends some.
pub async fn sessions(shell: &mut Shell, args: Sessions) -> Result<(), Failure> {
    let api = shell.api()?;
    let me = api.me().await?;
    let (method, route) = match (args.end, args.end_others) {
        (Some(id), _) => (Method::DELETE, format!("sessions/{id}")),
        (None, true) => (Method::DELETE, "sessions".to_owned()),
        (None, false) => (Method::GET, "sessions".to_owned()),
    };
    let is_list = method == Method::GET;
    let response = api
        .user_request(method, me.id, &route, &Value::Null)
        .await?;
    if is_list {
        return shell.print_table(&response, rows);
    }
    if shell.json {
        return shell.out.line(&response.json());
    }
    let done = match args.end {
        Some(id) => format!("ended session {id}"),
        None => "ended all other sessions".to_owned(),
    };
    shell.out.line(&done)
}

fn rows(style: Style, content: &SessionsOk) -> Vec<Vec<Cell>> {
    let row = |session| row(style, session);
    content.sessions.iter().map(row).collect()
}

fn row(style: Style, session: &SessionListed) -> Vec<Cell> {
    vec![
        painted(DIM, session.id.to_string()),
        cell(format!("since {}", style.moment(session.created_at))),
        cell(format!("until {}", style.moment(session.expires_at))),
        painted(BOLD, if session.current { "this one" } else { "" }),
        cell(&session.label),
    ]
}

/// Reads the old and the new password from two lines of standard input.
fn two_lines() -> Result<(String, String), Failure> {
    // Longer lines are rejected by the server, not cut to a part that it accepts.
    let input = io::Read::take(io::stdin().lock(), 4 * PASSWORD_BYTES_MAX as u64);
    let mut lines = input.lines();
    let mut line = || match lines.next() {
        Some(Ok(line)) => Ok(line.trim_end_matches('\r').to_owned()),
        Some(Err(error)) => Err(Failure::usage(format!(
            "Cannot read the passwords from standard input: {error}."
        ))),
        None => Err(Failure::usage(
            "Standard input must have two lines: the old password and the new one.",
        )),
    };
    Ok((line()?, line()?))
}

#[cfg(test)]
mod tests {
    use super::super::style::tests::PLAIN;
    use super::*;

    #[test]
    fn line_has_id_times_and_label() {
        let content: SessionsOk = serde_json::from_str(
            r#"{"sessions":[
            {"id":"00000000000000ff","label":"plenary on laptop","current":true,
             "created_at":"2026-05-06T11:00:00Z","expires_at":"2026-06-05T11:00:00Z"},
            {"id":"1123456789abcdef","label":"x\u0007","created_at":"2026-05-06T11:00:01Z",
             "expires_at":"2026-06-05T11:00:00Z"}]}"#,
        )
        .expect("a response");
        insta::assert_snapshot!(PLAIN.table(&rows(PLAIN, &content)).join("\n"), @r"
        00000000000000ff  since 2026-05-06 13:00:00  until 2026-06-05 13:00:00  this one  plenary on laptop
        1123456789abcdef  since 2026-05-06 13:00:01  until 2026-06-05 13:00:00            x
        ");
    }
}
