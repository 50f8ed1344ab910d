//! Finds the user that an argument names by user ID, email or name.

use std::collections::BTreeMap;

use plenary_shared::domain::Code;
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::ParticipantsOk;
use plenary_shared::text::email_key;

use super::super::{Exit, Failure};
use crate::api::{Api, ApiError, Messages, Page};

/// The number of pages that are searched for a name, from the newest.
const PAGES_MAX: usize = 100;

/// Returns the user named `wanted`. Looks at the signed-in user, then at participants, then at the
/// authors of messages. Emails of authors who are not participants are unknown, and members do not see
/// those of others.
pub async fn find(api: &Api, instance: InstanceId, wanted: &str) -> Result<UserId, Failure> {
    if let Ok(user) = wanted.strip_prefix('#').unwrap_or(wanted).parse() {
        return Ok(user);
    }
    let mut found = BTreeMap::new();
    let me = api.me().await?;
    if matches(wanted, &me.name, &me.email) {
        found.insert(me.id, me.email);
    }
    for participant in participants(api, instance).await?.participants {
        let email = participant.email.unwrap_or_default();
        if matches(wanted, &participant.name, &email) {
            let known_as = if email.is_empty() {
                participant.name
            } else {
                email
            };
            found.insert(participant.id, known_as);
        }
    }
    if found.is_empty() && !wanted.contains('@') {
        found = authors(api, instance, wanted).await?;
    }
    let mut users = found.iter();
    match (users.next(), users.next()) {
        (Some((user, _)), None) => Ok(*user),
        (Some(_), Some(_)) => Err(ambiguous(wanted, &found)),
        (None, _) => Err(Failure::new(
            Exit::Rejected,
            Code::NotFound.as_str(),
            format!(
                "No participant or author in {instance} is named '{wanted}': \
                 use a user ID from 'plenary participants {instance}'."
            ),
        )),
    }
}

fn matches(wanted: &str, name: &str, email: &str) -> bool {
    name == wanted || email_key(email) == email_key(wanted)
}

/// Returns the participants, none for an instance that is not running.
async fn participants(api: &Api, instance: InstanceId) -> Result<ParticipantsOk, Failure> {
    match api.participants(instance).await {
        Ok(response) => Ok(response.read()?),
        Err(ApiError::Rejected(rejection))
            if matches!(rejection.known_code(), Some(Code::Ended | Code::NotStarted)) =>
        {
            Ok(ParticipantsOk {
                participants: vec![],
                absent: None,
            })
        }
        Err(error) => Err(error.into()),
    }
}

async fn authors(
    api: &Api,
    instance: InstanceId,
    wanted: &str,
) -> Result<BTreeMap<UserId, String>, Failure> {
    let mut page = Page {
        limit: Some(PAGE_MAX),
        ..Page::default()
    };
    let mut found = BTreeMap::new();
    for _ in 0..PAGES_MAX {
        let read: Messages = api.messages(instance, None, page).await?.read()?;
        for message in read.messages.iter().filter(|one| one.name == wanted) {
            found.insert(message.user, message.name.clone());
        }
        page.before = read.messages.first().map(|message| message.seq);
        if !read.more || page.before.is_none() {
            break;
        }
    }
    Ok(found)
}

fn ambiguous(wanted: &str, found: &BTreeMap<UserId, String>) -> Failure {
    let users: Vec<String> = found
        .iter()
        .map(|(user, known_as)| format!("{user} ({known_as})"))
        .collect();
    Failure::usage(format!(
        "'{wanted}' is ambiguous: use one of the user IDs {}.",
        users.join(", ")
    ))
}
