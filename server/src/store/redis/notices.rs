//! Notices to all servers: a text on one channel for each, published here and read by the feed.

use plenary_shared::domain::Code;
use plenary_shared::protocol::ServerStatus;
use plenary_shared::time::Timestamp;

use super::{RedisStore, keys};
use crate::error::Fault;
use crate::store::dashboard::Denial;
use crate::store::{AccessChange, Feed, ReadPosition, TokenHash};

impl RedisStore {
    /// Notifies all servers that a schedule or a list has changed.
    pub async fn publish_changed(&self) -> Result<(), Fault> {
        self.publish("changed").await
    }

    /// Notifies all servers that a session was closed.
    pub async fn publish_signed_out(&self, token: TokenHash) -> Result<(), Fault> {
        self.publish(&format!("signed_out {}", token.to_hex()))
            .await
    }

    /// Asks all servers to check again what users may do.
    pub async fn publish_access(&self, change: AccessChange) -> Result<(), Fault> {
        let text = match change {
            AccessChange::User(user) => format!("access user {user}"),
            AccessChange::Meeting(meeting) => format!("access meeting {meeting}"),
            AccessChange::Any => "access any".to_owned(),
        };
        self.publish(&text).await
    }

    /// Sends read positions to all servers.
    pub async fn publish_read(&self, positions: &[ReadPosition]) -> Result<(), Fault> {
        let mut pipeline = redis::pipe();
        for one in positions {
            let (user, instance, seq) = (one.user, one.instance, one.seq);
            let text = format!("read {user} {instance} {seq}");
            pipeline.publish(keys::NOTICES, text).ignore();
        }
        self.ask_all(&pipeline).await
    }

    /// Notifies all servers that a user was refused.
    pub async fn publish_denied(&self, denial: &Denial) -> Result<(), Fault> {
        let (instance, user, code) = (denial.instance, denial.user, denial.code);
        let (at, name) = (denial.at.as_ms(), &denial.name);
        self.publish(&format!("denied {instance} {user} {code} {at} {name}"))
            .await
    }

    /// Sends the state of this server to all servers.
    pub async fn publish_server(&self, server: &ServerStatus) -> Result<(), Fault> {
        let json = serde_json::to_string(server)
            .map_err(|error| Fault::broken("encoding the state of this server", error))?;
        self.publish(&format!("server {json}")).await
    }

    async fn publish(&self, text: &str) -> Result<(), Fault> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(keys::NOTICES).arg(text);
        self.ask::<u64>(&mut command).await.map(|_| ())
    }
}

/// Reads a notice; `None` if it is unknown.
pub(super) fn read(text: &str) -> Option<Feed> {
    if text == "changed" {
        return Some(Feed::Changed);
    }
    if let Some(access) = text.strip_prefix("access ") {
        let change = match access.split_once(' ') {
            Some(("user", id)) => AccessChange::User(id.parse().ok()?),
            Some(("meeting", id)) => AccessChange::Meeting(id.parse().ok()?),
            Some(_) | None => AccessChange::Any,
        };
        return Some(Feed::Access(change));
    }
    if let Some(read) = text.strip_prefix("read ") {
        let mut words = read.split(' ');
        return Some(Feed::Read(ReadPosition {
            user: words.next()?.parse().ok()?,
            instance: words.next()?.parse().ok()?,
            seq: words.next()?.parse().ok()?,
        }));
    }
    if let Some(denied) = text.strip_prefix("denied ") {
        let mut words = denied.splitn(5, ' ');
        return Some(Feed::Denied(Box::new(Denial {
            instance: words.next()?.parse().ok()?,
            user: words.next()?.parse().ok()?,
            code: {
                let word = words.next()?;
                *Code::ALL.iter().find(|code| code.as_str() == word)?
            },
            at: Timestamp::from_ms(words.next()?.parse().ok()?),
            name: words.next()?.to_owned(),
        })));
    }
    if let Some(json) = text.strip_prefix("server ") {
        return serde_json::from_str(json).ok().map(Feed::Server);
    }
    let hex = text.strip_prefix("signed_out ")?;
    let mut hash = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(Feed::SignedOut(TokenHash(hash)))
}
