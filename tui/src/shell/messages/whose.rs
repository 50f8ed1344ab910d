//! Whom somebody means by a userID, an e-mail address or a name.

use std::collections::BTreeMap;

use plenary_shared::domain::Code;
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::PeopleOk;

use super::super::{Exit, Failure};
use crate::api::{Api, ApiError, Messages, Page};

/// Pages of the log that are searched for a name; the latest first.
const PAGES_MAX: usize = 100;

/// A number is a userID. Anything else is looked for in oneself, in who is in, and in who said
/// something; addresses are known of oneself and of who is in only.
pub async fn find(api: &Api, instance: InstanceId, who: &str) -> Result<UserId, Failure> {
    if let Ok(user) = who.strip_prefix('#').unwrap_or(who).parse() {
        return Ok(user);
    }
    let mut found = BTreeMap::new();
    let me = api.me().await?;
    if is_meant(who, &me.name, &me.email) {
        found.insert(me.id, me.email);
    }
    for participant in participants(api, instance).await?.participants {
        if is_meant(who, &participant.name, &participant.email) {
            found.insert(participant.id, participant.email);
        }
    }
    if found.is_empty() && !who.contains('@') {
        found = who_said_something(api, instance, who).await?;
    }
    let mut several = found.iter();
    match (several.next(), several.next()) {
        (Some((user, _)), None) => Ok(*user),
        (Some(_), Some(_)) => Err(ambiguous(who, &found)),
        (None, _) => Err(Failure::told(
            Exit::Refused,
            Code::NotFound.as_str(),
            format!(
                "Nobody called '{who}' is in {instance} or said something there: \
                 give the userID, which 'plenary people {instance}' shows."
            ),
        )),
    }
}

fn is_meant(who: &str, name: &str, email: &str) -> bool {
    name == who || email.eq_ignore_ascii_case(who)
}

/// Nobody is in what is over or has not begun.
async fn participants(api: &Api, instance: InstanceId) -> Result<PeopleOk, Failure> {
    match api.people(instance).await {
        Ok(answer) => Ok(answer.read(api)?),
        Err(ApiError::Refused(refusal))
            if matches!(refusal.known(), Some(Code::Ended | Code::NotStarted)) =>
        {
            Ok(PeopleOk {
                participants: vec![],
                absent: None,
            })
        }
        Err(error) => Err(error.into()),
    }
}

async fn who_said_something(
    api: &Api,
    instance: InstanceId,
    who: &str,
) -> Result<BTreeMap<UserId, String>, Failure> {
    let mut page = Page {
        limit: Some(PAGE_MAX),
        ..Page::default()
    };
    let mut found = BTreeMap::new();
    for _ in 0..PAGES_MAX {
        let answer = api.messages(instance, None, page).await?;
        let read: Messages = answer.read(api)?;
        for message in &read.messages {
            if message.name == who {
                found.insert(message.user, message.name.clone());
            }
        }
        page.before = read.messages.first().map(|message| message.seq);
        if !read.more || page.before.is_none() {
            break;
        }
    }
    Ok(found)
}

fn ambiguous(who: &str, found: &BTreeMap<UserId, String>) -> Failure {
    let people: Vec<String> = found
        .iter()
        .map(|(user, known_as)| format!("{user} ({known_as})"))
        .collect();
    Failure::usage(format!(
        "'{who}' may be any of {}: give the userID.",
        people.join(", ")
    ))
}
