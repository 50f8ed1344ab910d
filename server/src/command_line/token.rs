//! `token`: prints a login token for scripts.

use clap::Args;

use super::output;
use crate::ctx::Ctx;
use crate::service::account;

/// The label of the session in lists.
const LABEL: &str = "plenary-server token";

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  TOKEN=$(plenary-server token ada@example.org)")]
pub(super) struct Arguments {
    /// Email address of the user
    email: String,
    /// Print one JSON object, with the expiry of the token
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
