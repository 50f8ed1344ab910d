//! `plenary messages`: what was said, in its order; everybody's or one person's.

mod whose;

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::Message;

use super::print::Entry;
use super::{Failure, Shell, out};
use crate::api::{Api, Messages as Found, Page};
use crate::command_line::Messages;

/// One page, or all.
pub async fn run(shell: &mut Shell, asked: Messages) -> Result<(), Failure> {
    let api = shell.api()?;
    let instance = asked.at.instance;
    let user = match &asked.user {
        Some(who) => Some(whose::find(&api, instance, who).await?),
        None => None,
    };
    if asked.all {
        return print_all(shell, &api, instance, user, asked.after, asked.before).await;
    }
    let page = Page {
        after: asked.after,
        before: asked.before,
        limit: asked.limit.map(usize::from),
    };
    let answer = api.messages(instance, user, page).await?;
    if shell.json {
        return shell.out.line(&answer.json());
    }
    let found: Found = answer.read(&api)?;
    print(shell, &found.messages)?;
    if found.more {
        let (first, last) = (found.messages.first(), found.messages.last());
        match (asked.after, first, last) {
            (None, Some(first), _) => {
                out::note(&format!("there are older ones: --before {}", first.seq));
            }
            (Some(_), _, Some(last)) => {
                out::note(&format!("there are newer ones: --after {}", last.seq));
            }
            (None, None, _) | (Some(_), _, None) => {}
        }
    }
    Ok(())
}

/// Page by page, ascending, up to `before`.
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
        let answer = api.messages(instance, user, page).await?;
        let mut found: Found = answer.read(api)?;
        let newest = found.messages.last().map(|message| message.seq);
        let in_full = found.messages.len();
        if let Some(before) = before {
            found.messages.retain(|message| message.seq < before);
        }
        let is_cut = found.messages.len() < in_full;
        if shell.json && !is_cut {
            shell.out.line(&answer.json())?;
        } else if shell.json {
            let key = if user.is_some() {
                "user_messages"
            } else {
                "messages"
            };
            let page = serde_json::json!({ key: found.messages, "more": false });
            shell
                .out
                .line(&crate::api::json_for_terminal(&page.to_string()))?;
        } else {
            print(shell, &found.messages)?;
        }
        match newest {
            // A page that does not advance would come again for ever.
            Some(seq) if found.more && !is_cut && seq > after => after = seq,
            Some(_) | None => return Ok(()),
        }
    }
}

/// What it says, and what became of it.
fn shown(message: &Message) -> String {
    match (message.deleted, message.edited) {
        (Some(_), _) => "(deleted)".to_owned(),
        (None, Some(_)) => format!("{} (edited)", message.body),
        (None, None) => message.body.to_string(),
    }
}

fn print(shell: &mut Shell, messages: &[Message]) -> Result<(), Failure> {
    let entries: Vec<Entry> = messages
        .iter()
        .map(|message| Entry {
            seq: message.seq.get(),
            at: message.timestamp,
            who: message.name.clone(),
            text: shown(message),
            is_said: true,
        })
        .collect();
    for line in shell.style.entries(&entries) {
        shell.out.line(&line)?;
    }
    Ok(())
}
