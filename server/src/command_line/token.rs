//! `token`: a login token for scripts.

use clap::Args;

use super::output;
use crate::ctx::Ctx;
use crate::service::account;

/// What the session is called in lists.
const LABEL: &str = "plenary-server token";

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The address of whom the token is for
    email: String,
    /// Prints one JSON object, with the token's end
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(ctx: &Ctx, arguments: Arguments) -> anyhow::Result<()> {
    let user = account::by_email(ctx, &arguments.email).await?;
    let login = account::issue_token(ctx, &user, LABEL).await?;
    if arguments.json {
        output::json(&login)
    } else {
        Ok(output::line(&login.token)?)
    }
}
