//! Every key and channel in Redis. They are spelled nowhere else.
//!
//! All keys of an instance share a hash tag, so that they live in one slot of a cluster.

use plenary_shared::ids::{InstanceId, MeetingId, OrderId, UserId};

use crate::store::TokenHash;

/// Sorted set: instance → its end. An index, repaired by the sweep.
pub(super) const ACTIVE_MEETINGS: &str = "active_meetings";

/// Sorted set: server → end of its lease.
pub(super) const NODES: &str = "nodes";

/// Hash: server → last renewal of its lease. In the slot of [`NODES`].
pub(super) const RENEWED: &str = "{nodes}:renewed";

/// String: `run_id` of the Redis process in which the live state was last rebuilt.
pub(super) const BOOT: &str = "plenary:boot";

/// String that expires: exists while a server rebuilds the live state.
pub(super) const REBUILDING: &str = "plenary:rebuilding";

/// Channel for messages between servers that concern no instance.
pub(super) const NOTICES: &str = "plenary:notices";

/// Sharded channel on which a server receives its own probes, named after its connection.
pub(super) fn probe(connection: i64) -> String {
    format!("plenary:probe:{connection}")
}

pub(super) fn is_probe(channel: &str) -> bool {
    channel.starts_with("plenary:probe:")
}

/// Hash that expires: the cached session of a login token.
pub(super) fn session(token: TokenHash) -> String {
    format!("session:{}", token.to_hex())
}

/// What the names of [`account_rate`] start with.
const ACCOUNT_RATE: &str = "account_rate:";

/// String that expires: when a user may write the whole burst again, over all instances, in microseconds
/// since 1970. In a slot of its own.
pub(super) fn account_rate(user: UserId) -> String {
    format!("{ACCOUNT_RATE}{user}")
}

/// Hexadecimal digits of a [`TokenHash`].
const TOKEN_HASH_DIGITS: usize = 64;

/// Whether a key belongs to Plenary.
pub(super) fn is_ours(key: &str) -> bool {
    let is_session =
        |rest: &str| rest.len() == TOKEN_HASH_DIGITS && rest.bytes().all(|b| b.is_ascii_hexdigit());
    [ACTIVE_MEETINGS, NODES, BOOT, REBUILDING].contains(&key)
        || key.strip_prefix("session:").is_some_and(is_session)
        || key
            .strip_prefix(ACCOUNT_RATE)
            .is_some_and(|user| user.parse::<UserId>().is_ok())
        || instance_in(key).is_some()
}

/// Whether a key holds the bindings of an instance.
pub(super) fn is_bindings(key: &str) -> bool {
    instance_in(key).is_some_and(|id| Keys(id).bindings() == key)
}

fn instance_in(key: &str) -> Option<InstanceId> {
    let (member, _) = key.strip_prefix('{')?.split_once('}')?;
    instance_of(member)
}

/// The member for an instance in [`ACTIVE_MEETINGS`].
pub(super) fn member(id: InstanceId) -> String {
    format!("meeting:{}:order:{}", id.meeting, id.order)
}

/// Returns the instance of a member of [`ACTIVE_MEETINGS`].
pub(super) fn instance_of(member: &str) -> Option<InstanceId> {
    let (meeting, order) = member.strip_prefix("meeting:")?.split_once(":order:")?;
    let meeting: MeetingId = meeting.parse().ok()?;
    let order: OrderId = order.parse().ok()?;
    Some(InstanceId::new(meeting, order))
}

/// Declares the keys of an instance that are named like their functions.
macro_rules! instance_keys {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        impl Keys {
            $($(#[$doc])* pub(super) fn $name(self) -> String { self.under(stringify!($name)) })+

            /// Returns the key that scripts call `name`. `user`: for the keys of one user.
            pub(super) fn named(self, name: &str, user: Option<UserId>) -> String {
                match (name, user) {
                    ("meeting", _) => self.meeting(),
                    ("channel", _) => self.channel(),
                    ("user_messages", Some(user)) => self.user_messages(user),
                    ("post_rate", Some(user)) => self.post_rate(user),
                    ("join_rate", Some(user)) => self.join_rate(user),
                    ("account_rate", Some(user)) => self.account_rate(user),
                    $((stringify!($name), _) => self.$name(),)+
                    (name, _) => unreachable!("no script has a key {name}"),
                }
            }
        }
    };
}

/// The keys of one instance.
#[derive(Clone, Copy)]
pub(super) struct Keys(pub(super) InstanceId);

instance_keys! {
    /// Set of email addresses; private meetings only.
    audience,
    /// Sorted set: user → start of the stay.
    participants,
    /// Sorted set with score 0: `node.number` of each connection.
    connections,
    /// Hash: which connection is bound to which stay.
    bindings,
    /// Sorted set: lost connection → time of the loss.
    grace,
    /// Hash: participants who are not here, and the counts that this follows from.
    presence,
    /// Sorted set: user who waits for the start → when the entry expires.
    waiting,
    /// Hash: user who waits for the start → name.
    waiting_names,
    /// Stream: the event log, with ids `seq-0`.
    log,
    /// Hash: user → profile, for every user who has joined.
    profiles,
    /// Hash: `user:cmid` → seq and time.
    cmids,
    /// Hash: message → its last change.
    changes,
    /// String that expires: the highest destroyed generation.
    tombstone,
}

impl Keys {
    /// Hash: title, description, times, state, gen, seq, archived, restrictions.
    pub(super) fn meeting(self) -> String {
        format!("{{{}}}", member(self.0))
    }

    /// List: the seqs of a user's messages.
    pub(super) fn user_messages(self, user: UserId) -> String {
        self.under(&format!("user:{user}:messages"))
    }

    /// String that expires: when a user may write the whole burst of posts again here, in microseconds since
    /// 1970.
    pub(super) fn post_rate(self, user: UserId) -> String {
        self.under(&format!("user:{user}:post_rate"))
    }

    /// The same for joins.
    pub(super) fn join_rate(self, user: UserId) -> String {
        self.under(&format!("user:{user}:join_rate"))
    }

    /// [`account_rate`] in the slot of the instance, for a Redis in cluster mode.
    pub(super) fn account_rate(self, user: UserId) -> String {
        self.under(&format!("user:{user}:account_rate"))
    }

    /// Sharded channel: the events of the instance.
    pub(super) fn channel(self) -> String {
        self.under("events")
    }

    fn under(self, name: &str) -> String {
        format!("{}:{name}", self.meeting())
    }
}

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
        let user: UserId = "7".parse().expect("a user");
        assert!(is_ours(&account_rate(user)) && !is_ours("account_rate:of another program"));
        assert!(is_bindings(&Keys(id).bindings()) && !is_bindings(&Keys(id).profiles()));
    }
}
