//! `plenary login`: signs in and stores the session.

use std::io::{self, BufRead as _};

use plenary_shared::domain::Reject;
use plenary_shared::limits::PASSWORD_BYTES_MAX;
use plenary_shared::protocol;
use plenary_shared::text::{for_terminal, parse_email};
use plenary_shared::unicode::without_bom;

use super::{Failure, Shell, output, prompt};
use crate::api::{Api, json_for_terminal};
use crate::command_line::Login;
use crate::session::{Session, SessionError, Token};

/// Signs in, and prompts for what the command line does not give.
pub async fn run(shell: &mut Shell, args: Login) -> Result<(), Failure> {
    let server = shell.account.server.clone();
    if !server.is_tls() && !is_loopback(server.host()) {
        output::note(&format!(
            "the connection to {server} is not encrypted: your password may be read in transit"
        ));
    }
    let email = match args.address.or(args.email) {
        Some(email) => email,
        None if prompt::can_ask() && !args.password_stdin => {
            prompt::ask(&format!("Email at {server}"))?
        }
        None => return Err(Failure::usage("The email is missing: plenary login EMAIL.")),
    };
    let email = parse_email(&email).map_err(Reject::from)?;
    let password = if args.password_stdin {
        first_line()?
    } else if prompt::can_ask() {
        prompt::ask_secret("Password")?
    } else {
        return Err(Failure::usage(
            "Cannot prompt for the password without a terminal: use --password-stdin.",
        ));
    };
    let request = protocol::Login {
        email: email.clone(),
        password,
        label: label(),
    };
    let login = Api::new(server.clone(), None)?.login(&request).await?;
    let session = Session {
        server: server.clone(),
        token: Token::new(login.token),
        email: email.clone(),
        name: login.name.clone(),
        expires_at: login.expires_at,
    };
    if let Err(error) = shell.session_file.save(&session) {
        return Err(revoke(session, &error).await);
    }
    if shell.json {
        // The response without the token, which stays in its file.
        let json = serde_json::json!({
            "userID": login.user,
            "name": login.name,
            "email": email,
            "role": login.role,
            "server": server.to_string(),
            "expires_at": login.expires_at,
        });
        return shell.out.line(&json_for_terminal(&json.to_string()));
    }
    let name = for_terminal(&login.name);
    shell.out.line(&format!(
        "signed in to {server} as {name} ({email}, {}) until {}",
        login.role,
        shell.style.moment(login.expires_at)
    ))
}

/// Ends a session that cannot be stored. Returns the error for the user.
async fn revoke(session: Session, error: &SessionError) -> Failure {
    let ended = match Api::new(session.server, Some(session.token)) {
        Ok(api) => api.logout().await.map(drop),
        Err(error) => Err(error),
    };
    let rest = match ended {
        Ok(()) => "You are not signed in.".to_owned(),
        Err(why) => format!(
            "The new session is still valid on the server until {}, because it could not be ended: {why}.",
            session.expires_at
        ),
    };
    Failure::other(format!("Cannot store the session: {error}. {rest}"))
}

/// Reads the first line of standard input, without its line end.
pub(super) fn first_line() -> Result<String, Failure> {
    let mut line = Vec::new();
    // Twice the limit, so that the server rejects a long password instead of accepting a part of it.
    let mut input = io::Read::take(io::stdin().lock(), 2 * PASSWORD_BYTES_MAX as u64);
    input
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::other(format!("Cannot read standard input: {error}.")))?;
    let line = String::from_utf8(line)
        .map_err(|_| Failure::usage("The password on standard input is not valid UTF-8."))?;
    Ok(without_bom(&line).trim_end_matches(['\n', '\r']).to_owned())
}

/// Returns the label of the session in lists: the host name.
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
