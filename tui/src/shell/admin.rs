//! `plenary admin`: moderates running meetings and manages users.

use plenary_shared::domain::Reject;
use plenary_shared::ids::{Cmid, InstanceId, UserId};
use plenary_shared::text::{MessageBody, for_terminal};
use serde_json::{Value, json};
use uuid::Uuid;

mod users;

use super::retry::with_retries;
use super::{Failure, Shell};
use crate::api::Receipt;
use crate::command_line::{Admin, AdminCommand, Extension, ModerateArgs, UserModerateArgs};

/// Runs an admin command.
pub async fn run(shell: &mut Shell, args: Admin) -> Result<(), Failure> {
    let (instance, action, body) = match args.command {
        None => return Err(Failure::usage("The dashboard needs a terminal.")),
        Some(AdminCommand::Explain(args)) => return users::explain(shell, args).await,
        Some(AdminCommand::User(args)) => return users::run(shell, args.command).await,
        Some(AdminCommand::End(args)) => reason(&args, "end"),
        Some(AdminCommand::Lock(args)) => reason(&args, "lock"),
        Some(AdminCommand::Unlock(args)) => reason(&args, "unlock"),
        Some(AdminCommand::ReadOnly(args)) => {
            let (instance, action, mut body) = reason(&args.args, "read-only");
            body["on"] = json!(!args.off);
            (instance, action, body)
        }
        Some(AdminCommand::Extend(args)) => {
            let (instance, action, mut body) = reason(&args.args, "extend");
            match args.extension {
                Extension::Minutes(minutes) => body["minutes"] = json!(minutes),
                Extension::Until(at) => body["todatetime"] = json!(at),
            }
            (instance, action, body)
        }
        Some(AdminCommand::Mute(args)) => reason_and_user(args, "mute"),
        Some(AdminCommand::Unmute(args)) => reason_and_user(args, "unmute"),
        Some(AdminCommand::Unban(args)) => reason_and_user(args, "unban"),
        Some(AdminCommand::Remove(args)) => {
            let (instance, action, mut body) = reason_and_user(args.target, "remove");
            body["ban"] = json!(args.ban);
            (instance, action, body)
        }
        Some(AdminCommand::Announce(args)) => {
            let text = MessageBody::parse(args.text.join(" ")).map_err(Reject::from)?;
            (args.at.instance, "announce", json!({ "body": text }))
        }
    };
    moderate(shell, instance, action, &body).await
}

async fn moderate(
    shell: &mut Shell,
    instance: InstanceId,
    action: &str,
    body: &Value,
) -> Result<(), Failure> {
    let api = shell.api()?;
    let cmid = Cmid(Uuid::now_v7());
    let response = with_retries(|| api.moderate(instance, action, cmid, body)).await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let receipt: Receipt = response.read()?;
    shell.out.line(&format!(
        "{instance} at {} (seq {}): {}",
        shell.style.moment(receipt.timestamp),
        receipt.seq,
        for_terminal(&receipt.message)
    ))
}

/// Returns the instance, the action and a request body with the reason.
fn reason(args: &ModerateArgs, action: &'static str) -> (InstanceId, &'static str, Value) {
    (args.at.instance, action, json!({ "reason": args.reason }))
}

/// Returns the instance, the action and a request body with the reason and the user.
fn reason_and_user(
    args: UserModerateArgs,
    action: &'static str,
) -> (InstanceId, &'static str, Value) {
    let (instance, action, mut body) = reason(&args.args, action);
    let user = args.user.user;
    match user.trim_start_matches('#').parse::<UserId>() {
        Ok(id) => body["userID"] = json!(id),
        Err(_) => body["email"] = json!(user),
    }
    (instance, action, body)
}
