//! Every key and channel in Redis, spelled here and nowhere else.
//!
//! All keys of an instance share a hash tag, so that they live in one slot of a cluster.

use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};

use crate::store::TokenHash;

/// Instances by their end: an index only, repaired by the sweep.
pub(super) const ACTIVE_MEETINGS: &str = "active_meetings";

/// Servers by the end of their lease.
pub(super) const NODES: &str = "nodes";

/// Hash: server → when its lease was renewed last. In the slot of [`NODES`].
pub(super) const RENEWED: &str = "{nodes}:renewed";

/// The `run_id` of the Redis process that the live state was last brought up in.
pub(super) const BOOT: &str = "plenary:boot";

/// Held by the server that brings the live state up.
pub(super) const FENCING: &str = "plenary:fencing";

/// The channel on which servers tell each other what is not an instance's event.
pub(super) const NOTICES: &str = "plenary:notices";

/// The sharded channel on which a server hears itself, by the number of the connection that hears.
pub(super) fn probe(connection: i64) -> String {
    format!("plenary:probe:{connection}")
}

/// Whether this is such a channel.
pub(super) fn is_probe(channel: &str) -> bool {
    channel.starts_with("plenary:probe:")
}

/// The cached session of a login token.
pub(super) fn session(token: TokenHash) -> String {
    format!("session:{}", token.to_hex())
}

/// Hexadecimal digits of a [`TokenHash`].
const TOKEN_HASH_DIGITS: usize = 64;

/// Whether a key is one of ours.
pub(super) fn is_ours(key: &str) -> bool {
    let is_session =
        |rest: &str| rest.len() == TOKEN_HASH_DIGITS && rest.bytes().all(|b| b.is_ascii_hexdigit());
    [ACTIVE_MEETINGS, NODES, BOOT, FENCING].contains(&key)
        || key.strip_prefix("session:").is_some_and(is_session)
        || instance_in(key).is_some()
}

/// Whether a key says who holds which stay of an instance.
pub(super) fn is_owners(key: &str) -> bool {
    instance_in(key).is_some_and(|id| Keys(id).owners() == key)
}

/// The instance whose key this is.
fn instance_in(key: &str) -> Option<InstanceId> {
    let (member, _) = key.strip_prefix('{')?.split_once('}')?;
    instance_of(member)
}

/// The name of an instance in [`ACTIVE_MEETINGS`].
pub(super) fn member(id: InstanceId) -> String {
    format!("meeting:{}:order:{}", id.meeting, id.order)
}

/// The instance of a name in [`ACTIVE_MEETINGS`].
pub(super) fn instance_of(member: &str) -> Option<InstanceId> {
    let (meeting, order) = member.strip_prefix("meeting:")?.split_once(":order:")?;
    let meeting: MeetingId = meeting.parse().ok()?;
    let order: OrderId = order.parse().ok()?;
    Some(InstanceId::new(meeting, order))
}

/// The keys of one instance.
#[derive(Clone, Copy)]
pub(super) struct Keys(pub(super) InstanceId);

impl Keys {
    /// Hash: the facts, state, gen, seq, archived.
    pub(super) fn meeting(self) -> String {
        format!("{{{}}}", member(self.0))
    }

    fn under(self, name: &str) -> String {
        format!("{}:{name}", self.meeting())
    }

    /// Set of e-mails; private meetings only.
    pub(super) fn audience(self) -> String {
        self.under("audience")
    }

    /// Sorted set: user → when this stay began.
    pub(super) fn participants(self) -> String {
        self.under("participants")
    }

    /// Sorted set of score 0: `node.connection`.
    pub(super) fn connections(self) -> String {
        self.under("connections")
    }

    /// Hash: who holds which stay.
    pub(super) fn owners(self) -> String {
        self.under("owners")
    }

    /// Sorted set: lost connection → when it was lost.
    pub(super) fn grace(self) -> String {
        self.under("grace")
    }

    /// Hash: who is in but not here, and what that follows from.
    pub(super) fn presence(self) -> String {
        self.under("presence")
    }

    /// Sorted set: who waits for it to begin → until when that is taken to be so.
    pub(super) fn waiting(self) -> String {
        self.under("waiting")
    }

    /// Hash: who waits → what they are called.
    pub(super) fn waiters(self) -> String {
        self.under("waiters")
    }

    /// Stream: the log, `seq-0`.
    pub(super) fn log(self) -> String {
        self.under("log")
    }

    /// Hash: user → profile, of everybody who was ever in.
    pub(super) fn people(self) -> String {
        self.under("people")
    }

    /// List: the seqs of one user's messages.
    pub(super) fn user_messages(self, user: UserId) -> String {
        self.under(&format!("user:{user}:messages"))
    }

    /// Hash: `user:cmid` → seq and time.
    pub(super) fn sent(self) -> String {
        self.under("sent")
    }

    /// Hash: message → its last change.
    pub(super) fn changed(self) -> String {
        self.under("changed")
    }

    /// String that expires: the highest destroyed generation.
    pub(super) fn ended(self) -> String {
        self.under("ended")
    }

    /// Sharded channel of the instance's events.
    pub(super) fn channel(self) -> String {
        self.under("events")
    }
}

/// The instance of a channel.
pub(super) fn instance_of_channel(channel: &str) -> Option<InstanceId> {
    instance_of(channel.strip_prefix('{')?.strip_suffix("}:events")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let id: InstanceId = "1/4".parse().expect("an instance");
        assert_eq!(Keys(id).meeting(), "{meeting:1:order:4}");
        assert_eq!(instance_of(&member(id)), Some(id));
        assert_eq!(instance_of_channel(&Keys(id).channel()), Some(id));
        assert_eq!(instance_of("meeting:1:order:x"), None);
        assert!(is_ours(NODES) && is_ours(&Keys(id).meeting()) && is_ours(&Keys(id).log()));
        assert!(is_ours(&session(TokenHash([7; 32]))) && !is_ours("session:of another program"));
        assert!(is_owners(&Keys(id).owners()) && !is_owners(&Keys(id).people()));
    }
}
