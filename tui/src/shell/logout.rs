//! `plenary logout`: revokes the token and deletes the stored session.

use super::{Exit, Failure, Shell};
use crate::api::ApiError;
use crate::cache::CacheFile;

/// Signs out. Keeps the session if the server is unreachable, since its token is still valid.
pub async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let api = shell.api()?;
    let response = match api.logout().await {
        Ok(response) => Some(response),
        // The token is already invalid.
        Err(ApiError::Rejected(rejection)) if rejection.status == 401 => None,
        Err(error) => {
            let failure = Failure::from(error);
            return Err(match failure {
                Failure::Error {
                    exit: Exit::Unreachable,
                    ..
                } => failure.with_prefix(&format!(
                    "Still signed in: the server did not confirm (delete {} to forget the session). ",
                    shell.session_file.path().display()
                )),
                Failure::Error { .. } | Failure::PipeClosed => failure,
            });
        }
    };
    let account = &shell.account;
    let is_stored = account
        .session
        .as_ref()
        .is_some_and(|session| Some(&session.token) == account.token.as_ref());
    if is_stored {
        shell.session_file.remove()?;
        let cache = shell.session_file.path().parent().map(CacheFile::within);
        if let Some(Err(error)) = cache.map(|cache| cache.remove()) {
            return Err(Failure::other(format!("Cannot delete the cache: {error}.")));
        }
    }
    match response {
        Some(response) if shell.json => shell.out.line(&response.json()),
        Some(_) | None => shell.out.line(&format!("signed out of {}", api.server())),
    }
}
