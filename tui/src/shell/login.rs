//! `plenary login`: signs in and keeps the token.

use std::io::{self, BufRead as _};

use plenary_shared::domain::Reject;
use plenary_shared::limits::PASSWORD_BYTES_MAX;
use plenary_shared::protocol;
use plenary_shared::text::parse_email;

use super::{Failure, Shell, out, prompt};
use crate::api::Api;
use crate::command_line::Login;
use crate::session::{Session, Token};

/// Asks for what the command line does not say.
pub async fn run(shell: &mut Shell, login: Login) -> Result<(), Failure> {
    let server = shell.account.server.clone();
    if !server.is_tls() && !is_loopback(server.host()) {
        out::note(&format!(
            "the connection to {server} is not encrypted: others on the way can read the password"
        ));
    }
    let email = match login.address.or(login.email) {
        Some(email) => email,
        None if prompt::can_ask() && !login.password_stdin => {
            prompt::ask(&format!("E-mail address at {server}"))?
        }
        None => return Err(Failure::usage("Whose account? Give its e-mail address.")),
    };
    let email = parse_email(&email).map_err(Reject::from)?;
    let password = if login.password_stdin {
        first_line()?
    } else if prompt::can_ask() {
        prompt::ask_secret("Password")?
    } else {
        return Err(Failure::usage(
            "There is no terminal to ask for the password: use --password-stdin.",
        ));
    };
    let asked = protocol::Login {
        email: email.clone(),
        password,
        label: label(),
    };
    let answer = Api::new(server.clone(), None)?.login(&asked).await?;
    shell.session_file.save(&Session {
        server: server.clone(),
        token: Token::new(answer.token),
        email: email.clone(),
        name: answer.name.clone(),
        expires_at: answer.expires_at,
    })?;
    if shell.json {
        // Not as the server gave it: the token stays in its file.
        let said = serde_json::json!({
            "userID": answer.user,
            "name": answer.name,
            "email": email,
            "role": answer.role,
            "server": server.to_string(),
            "expires_at": answer.expires_at,
        });
        return shell
            .out
            .line(&crate::api::json_for_terminal(&said.to_string()));
    }
    let name = plenary_shared::text::for_terminal(&answer.name);
    shell.out.line(&format!(
        "signed in to {server} as {name} ({email}, {}) until {}",
        answer.role,
        shell.style.moment(answer.expires_at)
    ))
}

/// The first line of standard input, without its end.
pub(super) fn first_line() -> Result<String, Failure> {
    let mut line = Vec::new();
    // Twice what a password may have, so that a longer one is refused and not cut.
    let mut from = io::Read::take(io::stdin().lock(), 2 * PASSWORD_BYTES_MAX as u64);
    from.read_until(b'\n', &mut line)
        .map_err(|error| Failure::other(format!("Standard input cannot be read: {error}.")))?;
    let line = String::from_utf8(line)
        .map_err(|_| Failure::usage("The password on standard input is not UTF-8."))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// What the session is called in lists: the machine's name.
fn label() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| format!("plenary on {name}"))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
