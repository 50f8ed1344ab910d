//! `plenary messages`: prints the messages of all participants or of one.

mod find_user;

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::Message;

use super::style::Entry;
use super::{Failure, Shell, output};
use crate::api::{Api, Messages as Found, Page, json_for_terminal};
use crate::command_line::Messages;

/// Prints one page, or all pages with `--all`.
pub async fn run(shell: &mut Shell, args: Messages) -> Result<(), Failure> {
    let api = shell.api()?;
    let instance = args.at.instance;
    let user = match &args.user {
        Some(user) => Some(find_user::find(&api, instance, user).await?),
        None => None,
    };
    if args.all {
        return print_all(shell, &api, instance, user, args.after, args.before).await;
    }
    let page = Page {
        after: args.after,
        before: args.before,
        limit: args.limit.map(usize::from),
    };
    let response = api.messages(instance, user, page).await?;
    if shell.json {
        return shell.out.line(&response.json());
    }
    let found: Found = response.read()?;
    print(shell, &found.messages)?;
    if !found.more {
        return Ok(());
    }
    match (args.after, found.messages.first(), found.messages.last()) {
        (None, Some(first), _) => {
            output::note(&format!("for older messages: --before {}", first.seq));
        }
        (Some(_), _, Some(last)) => {
            output::note(&format!("for newer messages: --after {}", last.seq));
        }
        (None, None, _) | (Some(_), _, None) => {}
    }
    Ok(())
}

/// Prints all messages between `after` and `before`, page by page, ascending.
async fn print_all(
    shell: &mut Shell,
    api: &Api,
    instance: InstanceId,
    user: Option<UserId>,
    after: Option<Seq>,
    before: Option<Seq>,
) -> Result<(), Failure> {
    let mut after = after.unwrap_or_default();
    loop {
        let page = Page {
            after: Some(after),
            before: None,
            limit: Some(PAGE_MAX),
        };
        let response = api.messages(instance, user, page).await?;
        let mut found: Found = response.read()?;
        let newest = found.messages.last().map(|message| message.seq);
        let count = found.messages.len();
        if let Some(before) = before {
            found.messages.retain(|message| message.seq < before);
        }
        let is_cut = found.messages.len() < count;
        if shell.json && !is_cut {
            shell.out.line(&response.json())?;
        } else if shell.json {
            let key = match user {
                Some(_) => "user_messages",
                None => "messages",
            };
            let page = serde_json::json!({ key: found.messages, "more": false });
            shell.out.line(&json_for_terminal(&page.to_string()))?;
        } else {
            print(shell, &found.messages)?;
        }
        match newest {
            // A page that does not advance would repeat forever.
            Some(seq) if found.more && !is_cut && seq > after => after = seq,
            Some(_) | None => return Ok(()),
        }
    }
}

fn print(shell: &mut Shell, messages: &[Message]) -> Result<(), Failure> {
    let entry = |message: &Message| Entry {
        seq: message.seq.get(),
        at: message.timestamp,
        who: message.name.clone(),
        text: match (message.deleted, message.edited) {
            (Some(_), _) => "(deleted)".to_owned(),
            (None, Some(_)) => format!("{} (edited)", message.body),
            (None, None) => message.body.to_string(),
        },
        is_message: true,
    };
    let entries: Vec<Entry> = messages.iter().map(entry).collect();
    for line in shell.style.entries(&entries) {
        shell.out.line(&line)?;
    }
    Ok(())
}
