//! `plenary logout`: makes the token worthless and forgets it.

use super::{Exit, Failure, Shell};
use crate::api::ApiError;
use crate::cache::CacheFile;

/// Keeps the stored token while the server cannot be told.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let api = shell.api()?;
    let server = api.server().clone();
    let told = match api.logout().await {
        Ok(answer) => Some(answer),
        // It is worthless already.
        Err(ApiError::Refused(refusal)) if refusal.status == 401 => None,
        Err(error) => {
            let failure = Failure::from(error);
            return match failure {
                Failure::Told {
                    exit: Exit::Unreachable,
                    ..
                } => Err(failure.after(&format!(
                    "You are still signed in, since the server could not be told \
                     (to forget it here, remove {}). ",
                    shell.session_file.path().display()
                ))),
                Failure::Told { .. } | Failure::PipeClosed => Err(failure),
            };
        }
    };
    let account = &shell.account;
    let is_stored = account
        .session
        .as_ref()
        .is_some_and(|session| Some(&session.token) == account.token.as_ref());
    if is_stored {
        shell.session_file.remove()?;
        let screens = shell.session_file.path().parent().map(CacheFile::within);
        if let Some(Err(error)) = screens.map(|screens| screens.remove()) {
            let text = format!("The last screens could not be removed: {error}.");
            return Err(Failure::other(text));
        }
    }
    match told {
        Some(answer) if shell.json => shell.out.line(&answer.json()),
        Some(_) | None => shell.out.line(&format!("signed out of {server}")),
    }
}
