//! Planning by admins: changes of meetings, audiences, and instances that have not started.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::limits::AUDIENCE_MAX;
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// Addresses that the audit lists.
const TOLD_MAX: usize = 20;

/// Changes of a meeting; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditMeeting {
    /// The title: one line.
    pub title: Option<String>,
    /// The description; may be empty.
    pub description: Option<String>,
    /// Whether every user may join.
    pub is_public: Option<bool>,
}

/// Changes of an audience: email addresses in lower case, each at most once per list.
#[derive(Clone, Debug, Default)]
pub struct Invitations {
    pub add: Vec<String>,
    pub remove: Vec<String>,
    /// Whether to remove all addresses that are not in `add`.
    pub replace: bool,
}

/// The result of a change of an audience, in addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Invited {
    pub added: usize,
    /// In `add`, but in the audience already.
    pub already: usize,
    pub removed: usize,
    /// In `remove`, but not in the audience.
    pub absent: usize,
}

/// Changes what admins plan. `by`: the admin, for the audit; `None`: the command line. Each change is written
/// together with its audit row, and all servers are notified.
#[async_trait]
pub trait PlanningStore: Send + Sync {
    /// Changes a meeting and its live instances. `not_found`.
    async fn edit_meeting(
        &self,
        meeting: MeetingId,
        edit: &EditMeeting,
        by: Option<UserId>,
    ) -> Answer<()>;
    /// Changes the audience, also of live instances. Participants stay. `not_found`, `invalid`.
    async fn change_audience(
        &self,
        meeting: MeetingId,
        change: &Invitations,
        by: Option<UserId>,
    ) -> Answer<Invited>;
    /// Moves an instance that has not started. `not_found`, `not_scheduled`, `invalid`.
    async fn move_instance(
        &self,
        instance: InstanceId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<()>;
    /// Cancels an instance that has not started: it ends with reason `cancelled` without having been opened.
    /// `not_found`, `not_scheduled`.
    async fn cancel(
        &self,
        instance: InstanceId,
        reason: Option<&str>,
        by: Option<UserId>,
    ) -> Answer<()>;
    /// Returns instances that overlap with active and upcoming instances of a meeting and share users of its
    /// audience, or belong to the same meeting. Each comes with the meeting's own instance, by time.
    async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>>;
}

/// A change of an audience: what to write and what to report.
pub(super) struct Difference {
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
    pub(super) invited: Invited,
}

impl Difference {
    /// Compares the audience with a change. `invalid`: too many addresses.
    pub(super) fn between(now: &[String], change: &Invitations) -> Result<Self, Reject> {
        let there: BTreeSet<&String> = now.iter().collect();
        let wanted: BTreeSet<&String> = change.add.iter().collect();
        let unwanted: BTreeSet<&String> = change.remove.iter().collect();
        let add: Vec<String> = wanted.difference(&there).map(ToString::to_string).collect();
        let goes = |email: &&&String| {
            !wanted.contains(*email) && (change.replace || unwanted.contains(*email))
        };
        let remove: Vec<String> = there.iter().filter(goes).map(ToString::to_string).collect();
        if there.len() + add.len() - remove.len() > AUDIENCE_MAX {
            let detail = format!(
                "An audience has at most {AUDIENCE_MAX} addresses: invite fewer, or make the \
                 meeting public."
            );
            return Err(Reject::new(Code::Invalid, detail));
        }
        let invited = Invited {
            added: add.len(),
            already: wanted.intersection(&there).count(),
            removed: remove.len(),
            absent: unwanted.difference(&there).count(),
        };
        Ok(Self {
            add,
            remove,
            invited,
        })
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Returns the detail for the audit.
    pub(super) fn detail(&self) -> String {
        let told = |word: &str, emails: &[String]| {
            if emails.is_empty() {
                return None;
            }
            let some = emails.iter().take(TOLD_MAX).cloned().collect::<Vec<_>>();
            let more = match emails.len().checked_sub(TOLD_MAX) {
                Some(more) if more > 0 => format!(" and {more} more"),
                Some(_) | None => String::new(),
            };
            Some(format!("{word} {}{more}", some.join(", ")))
        };
        let both = [told("added", &self.add), told("removed", &self.remove)];
        both.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// Returns the detail of a changed meeting for the audit.
pub(super) fn edited(edit: &EditMeeting) -> String {
    let title = edit.title.as_ref().map(|title| format!("title: {title}"));
    let description = edit.description.as_ref().map(|_| "description".to_owned());
    let public = edit.is_public.map(|public| {
        let word = if public { "public" } else { "private" };
        word.to_owned()
    });
    let all = [title, description, public];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Returns the times of an instance as the audit has them.
pub(super) fn window(from: Timestamp, to: Timestamp) -> String {
    format!("{from} to {to}")
}

/// An instance of the meeting in question and another at the same time.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) instance: InstanceId,
    pub(super) other: InstanceId,
    pub(super) title: String,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// Adds to each pair how many users are in both audiences, and the first of them.
pub(super) fn overlapping(
    pairs: Vec<Pair>,
    shared: &BTreeMap<MeetingId, (usize, Vec<String>)>,
) -> Vec<(InstanceId, Overlap)> {
    let overlap = |pair: Pair| {
        let (count, people) = shared.get(&pair.other.meeting).cloned().unwrap_or_default();
        let overlap = Overlap {
            instance: pair.other,
            title: pair.title,
            fromdatetime: pair.from,
            todatetime: pair.to,
            shared_users: u32::try_from(count).unwrap_or(u32::MAX),
            emails: people,
        };
        (pair.instance, overlap)
    };
    pairs.into_iter().map(overlap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let now = emails("a b c");
        let change = |add: &str, remove: &str, replace: bool| Invitations {
            add: emails(add),
            remove: emails(remove),
            replace,
        };
        for (change, add, remove, counts) in [
            (change("b d", "c x", false), "d", "c", (1, 1, 1, 1)),
            // An address in both lists is added.
            (change("a", "a", false), "", "", (0, 1, 0, 0)),
            (change("c d", "", true), "d", "a b", (1, 1, 2, 0)),
            (change("a b c", "", true), "", "", (0, 3, 0, 0)),
        ] {
            let found = Difference::between(&now, &change).expect("few enough");
            assert_eq!((found.add, found.remove), (emails(add), emails(remove)));
            let Invited {
                added,
                already,
                removed,
                absent,
            } = found.invited;
            assert_eq!((added, already, removed, absent), counts);
        }
    }

    #[test]
    fn an_audience_has_a_limit() {
        let many: Vec<String> = (0..AUDIENCE_MAX).map(|n| format!("{n}@x")).collect();
        let change = |replace| Invitations {
            add: vec!["a@x".to_owned()],
            remove: vec![],
            replace,
        };
        let reject = Difference::between(&many, &change(false)).err();
        assert!(reject.is_some_and(|reject| reject.detail.contains("10000")));
        let found = Difference::between(&many, &change(true)).expect("one is left");
        let told = found.detail();
        assert!(told.starts_with("added a@x; removed "), "{told}");
        assert!(told.ends_with("and 9980 more"), "{told}");
    }
}
