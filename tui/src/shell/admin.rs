//! `plenary admin`: steers a running meeting, each measure once whatever the network does; people.

use plenary_shared::domain::Reject;
use plenary_shared::ids::{Cmid, InstanceId, UserId};
use plenary_shared::text::MessageBody;
use serde_json::{Value, json};
use uuid::Uuid;

mod people;

use super::once::until_known;
use super::{Failure, Shell};
use crate::api::DoneOk;
use crate::command_line::{Admin, AdminCommand, Concern, Longer, Steer};

/// Does one of the admins' commands.
pub async fn run(shell: &mut Shell, admin: Admin) -> Result<(), Failure> {
    match admin.measure {
        None => Err(Failure::usage(
            "The dashboard is a screen: it is not opened from here.",
        )),
        Some(AdminCommand::Explain(asked)) => people::explain(shell, asked).await,
        Some(AdminCommand::User(asked)) => people::run(shell, asked.command).await,
        Some(measure) => steer(shell, measure).await,
    }
}

async fn steer(shell: &mut Shell, measure: AdminCommand) -> Result<(), Failure> {
    let api = shell.api()?;
    let (instance, path, body) = asked(measure)?;
    let cmid = Cmid(Uuid::now_v7());
    let answer = until_known(|| api.moderate(instance, path, cmid, &body)).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let done: DoneOk = answer.read(&api)?;
    shell.out.line(&format!(
        "{instance} at {} (seq {}): {}",
        shell.style.moment(done.timestamp),
        done.seq,
        done.message
    ))
}

/// Where, the route's last word, and its body.
fn asked(measure: AdminCommand) -> Result<(InstanceId, &'static str, Value), Failure> {
    let why = |steer: Steer| (steer.at.instance, json!({ "reason": steer.reason }));
    Ok(match measure {
        AdminCommand::End(steer) => plain(why(steer), "end"),
        AdminCommand::Lock(steer) => plain(why(steer), "lock"),
        AdminCommand::Unlock(steer) => plain(why(steer), "unlock"),
        AdminCommand::ReadOnly(asked) => {
            let (instance, mut body) = why(asked.steer);
            body["on"] = json!(!asked.off);
            (instance, "read-only", body)
        }
        AdminCommand::Extend(asked) => {
            let (instance, mut body) = why(asked.steer);
            match asked.longer {
                Longer::Minutes(minutes) => body["minutes"] = json!(minutes),
                Longer::Until(at) => body["todatetime"] = json!(at),
            }
            (instance, "extend", body)
        }
        AdminCommand::Mute(of) => plain(concerning(&of), "mute"),
        AdminCommand::Unmute(of) => plain(concerning(&of), "unmute"),
        AdminCommand::Unban(of) => plain(concerning(&of), "unban"),
        AdminCommand::Remove(asked) => {
            let (instance, mut body) = concerning(&asked.of);
            body["ban"] = json!(asked.ban);
            (instance, "remove", body)
        }
        AdminCommand::Explain(_) | AdminCommand::User(_) => {
            return Err(Failure::other("This steers no meeting.".to_owned()));
        }
        AdminCommand::Announce(asked) => {
            let text = MessageBody::parse(asked.text.join(" ")).map_err(Reject::from)?;
            (asked.at.instance, "announce", json!({ "body": text }))
        }
    })
}

fn plain(
    (instance, body): (InstanceId, Value),
    path: &'static str,
) -> (InstanceId, &'static str, Value) {
    (instance, path, body)
}

fn concerning(of: &Concern) -> (InstanceId, Value) {
    let mut body = json!({ "reason": of.steer.reason });
    match of.who.trim_start_matches('#').parse::<UserId>() {
        Ok(user) => body["userID"] = json!(user),
        Err(_) => body["email"] = json!(of.who),
    }
    (of.steer.at.instance, body)
}
