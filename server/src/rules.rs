//! What may be asked and seen, decided without asking anything: pages, lengths, identity, privacy.

use plenary_shared::domain::{Code, Participant, ProfileVisibility, Reject, Role, User};
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::limits::{INSTANCE_DAYS_MAX, PAGE_DEFAULT, PAGE_MAX};
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Error};
use crate::store::Page;

pub mod confusable;
pub mod importing;
pub mod joining;

/// Which part of a log, or of the messages, is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageAsked {
    /// Only what comes after this seq.
    pub after: Option<Seq>,
    /// Only what comes before this seq.
    pub before: Option<Seq>,
    pub limit: usize,
}

impl Default for PageAsked {
    fn default() -> Self {
        Self {
            after: None,
            before: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// The page that is asked for, and how many it may hold.
pub fn page(asked: PageAsked) -> Result<(Page, usize), Reject> {
    let page = match (asked.after, asked.before) {
        (Some(_), Some(_)) => {
            return Err(Reject::new(
                Code::Invalid,
                "The fields after and before exclude each other: leave one out.",
            ));
        }
        (Some(after), None) => Page::After(after),
        (None, before) => Page::Before(before),
    };
    Ok((page, limit(asked.limit)?))
}

/// How many a page may hold.
pub fn limit(asked: usize) -> Result<usize, Reject> {
    if (1..=PAGE_MAX).contains(&asked) {
        Ok(asked)
    } else {
        Err(Reject::new(
            Code::Invalid,
            format!("The field limit must be a whole number from 1 to {PAGE_MAX}."),
        ))
    }
}

/// Nobody acts as somebody else: a user who is named must be the one who asks.
pub fn yourself(user: &User, named: Option<UserId>) -> Result<(), Reject> {
    match named {
        Some(named) if named != user.id => Err(Code::NotYourself.into()),
        Some(_) | None => Ok(()),
    }
}

/// What only admins may do.
pub fn admin(user: &User) -> Result<(), Reject> {
    match user.role {
        Role::Admin => Ok(()),
        Role::Member => Err(Code::AdminsOnly.into()),
    }
}

/// Returns whether this user sees the email addresses, ages and genders of others.
pub fn sees_profiles(visibility: ProfileVisibility, viewer: &User) -> bool {
    visibility == ProfileVisibility::Members || viewer.role == Role::Admin
}

/// Removes what this user may not see of other participants.
pub fn hide_profiles(visibility: ProfileVisibility, viewer: &User, among: &mut [Participant]) {
    if sees_profiles(visibility, viewer) {
        return;
    }
    for one in among.iter_mut().filter(|one| one.id != viewer.id) {
        (one.email, one.age, one.gender) = (None, None, None);
    }
}

/// Gives users who may not see an instance the same answer as for one that does not exist. Admins see
/// every instance.
pub fn conceal<T>(viewer: &User, instance: InstanceId, answer: Answer<T>) -> Answer<T> {
    match answer {
        Err(Error::Reject(reject))
            if viewer.role != Role::Admin
                && matches!(reject.code, Code::NotAllowed | Code::NotFound) =>
        {
            let detail = format!(
                "Meeting {instance} does not exist or is not open to you. See the list of meetings, \
                 or ask an admin to invite you."
            );
            Err(Reject::new(Code::NotFound, detail).into())
        }
        answer => answer,
    }
}

/// An instance lasts from before its end, for at most a month, and ends in the future.
pub fn window(from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), Reject> {
    const DAY_MS: i64 = 86_400_000;
    let wrong = |detail: String| Err(Reject::new(Code::Invalid, detail));
    if to <= from {
        wrong("The end (to) must come after the start (from).".to_owned())
    } else if to.ms_since(from) > INSTANCE_DAYS_MAX * DAY_MS {
        wrong(format!(
            "A meeting lasts at most {INSTANCE_DAYS_MAX} days: bring start and end closer together."
        ))
    } else if to <= now {
        wrong("The end (to) has passed already: choose one in the future.".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("a small number")
    }

    #[rstest]
    #[case(None, None, 1, Some(Page::Before(None)))]
    #[case(None, Some(7), 1_000, Some(Page::Before(Some(seq(7)))))]
    #[case(Some(7), None, 100, Some(Page::After(seq(7))))]
    #[case(Some(7), Some(9), 100, None)]
    #[case(None, None, 0, None)]
    #[case(None, None, 1_001, None)]
    fn pages(
        #[case] after: Option<u64>,
        #[case] before: Option<u64>,
        #[case] limit: usize,
        #[case] expected: Option<Page>,
    ) {
        let asked = PageAsked {
            after: after.map(seq),
            before: before.map(seq),
            limit,
        };
        match page(asked) {
            Ok(got) => assert_eq!(Some(got), expected.map(|page| (page, limit))),
            Err(reject) => {
                assert_eq!(reject.code, Code::Invalid);
                assert_eq!(expected, None);
            }
        }
    }

    #[rstest]
    #[case(0, 1_000, true)]
    #[case(0, 1, false)]
    #[case(1_000, 1_000, false)]
    #[case(1_000, 900, false)]
    #[case(0, 31 * 86_400_000, true)]
    #[case(0, 31 * 86_400_000 + 1, false)]
    fn windows(#[case] from_ms: i64, #[case] to_ms: i64, #[case] good: bool) {
        let at = Timestamp::from_ms;
        assert_eq!(window(at(from_ms), at(to_ms), at(500)).is_ok(), good);
    }
}
