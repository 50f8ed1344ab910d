//! Explains which rule allows or denies a user to join an instance, and what would change that. The
//! stores decide; this module applies the same rules in the same order.

use plenary_shared::domain::{Instance, InstanceState, Restrictions, User};
use plenary_shared::limits::PARTICIPANTS_MAX;
use plenary_shared::protocol::Verdict;
use plenary_shared::time::Timestamp;

/// The facts about a user who wants to join.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The user; `None` if no account has the email address.
    pub user: Option<&'a User>,
    pub disabled: bool,
    pub instance: &'a Instance,
    /// Whether the email address is in the audience.
    pub invited: bool,
    /// Whether the user is a participant.
    pub is_participant: bool,
    pub restrictions: &'a Restrictions,
    pub now: Timestamp,
}

/// Explains why a user may join or not.
pub fn joining(case: Case<'_>) -> Verdict {
    let at = case.instance.id;
    let Some(user) = case.user else {
        return no(
            "unknown_user",
            "No account has this email address.".to_owned(),
            "Add the user: plenary-server user add.".to_owned(),
        );
    };
    let who = &user.email;
    if case.disabled {
        return no(
            "disabled",
            format!("The account {who} is disabled."),
            "Enable the account.".to_owned(),
        );
    }
    if let Some(verdict) = by_time(&case) {
        return verdict;
    }
    let banned = case.restrictions.banned.contains(&user.id);
    if case.is_participant {
        no(
            "already_participant",
            format!("{who} has already joined {at}."),
            "None. Other connections of the user can open the meeting.".to_owned(),
        )
    } else if !case.instance.is_public && !case.invited {
        no(
            "not_in_audience",
            format!("{at} is private, and {who} is not in its audience."),
            "Add the email address to the audience, or make the meeting public.".to_owned(),
        )
    } else if banned {
        no(
            "banned",
            format!("{who} is banned from {at}."),
            format!("plenary admin unban {at} {who}"),
        )
    } else if case.restrictions.locked {
        no(
            "locked",
            format!("{at} is locked."),
            format!("plenary admin unlock {at}"),
        )
    } else if case.instance.participants as usize >= PARTICIPANTS_MAX {
        no(
            "full",
            format!("{at} has {PARTICIPANTS_MAX} participants, the maximum."),
            "A participant has to leave.".to_owned(),
        )
    } else {
        let (rule, explanation) = if case.instance.is_public {
            ("public", format!("{at} is public."))
        } else {
            ("in_audience", format!("{who} is in the audience of {at}."))
        };
        Verdict {
            allowed: true,
            rule: rule.to_owned(),
            explanation,
            remedy: "A lock, a ban or the end of the meeting would deny it.".to_owned(),
        }
    }
}

fn by_time(case: &Case<'_>) -> Option<Verdict> {
    let Instance {
        id,
        state,
        fromdatetime: from,
        todatetime: to,
        ..
    } = case.instance;
    let has_ended = match state {
        InstanceState::Scheduled if *from > case.now => {
            return Some(no(
                "not_started",
                format!("{id} starts at {from}."),
                "Wait for the start.".to_owned(),
            ));
        }
        InstanceState::Scheduled | InstanceState::Active => *to <= case.now,
        InstanceState::Ending | InstanceState::Ended => true,
    };
    has_ended.then(|| {
        no(
            "ended",
            format!("{id} has ended. Its scheduled end was {to}."),
            "Schedule another instance of the meeting.".to_owned(),
        )
    })
}

fn no(rule: &'static str, explanation: String, remedy: String) -> Verdict {
    Verdict {
        allowed: false,
        rule: rule.to_owned(),
        explanation,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plenary_shared::domain::Role;
    use plenary_shared::ids::UserId;
    use rstest::rstest;

    fn ada() -> User {
        User {
            id: UserId::new(7).expect("small"),
            name: "ada".to_owned(),
            age: None,
            gender: None,
            email: "ada@example.org".to_owned(),
            role: Role::Member,
        }
    }

    fn instance() -> Instance {
        Instance {
            title: "Seminar".to_owned(),
            description: String::new(),
            is_public: false,
            fromdatetime: Timestamp::from_ms(1_000),
            todatetime: Timestamp::from_ms(9_000),
            id: "1/4".parse().expect("an instance"),
            state: InstanceState::Active,
            participants: 3,
            joined: None,
            cancelled: false,
            ended_at: None,
        }
    }

    /// The differences from an invited user who has not joined an active instance.
    #[derive(Default)]
    #[expect(clippy::struct_excessive_bools, reason = "a row of a table")]
    struct But {
        unknown: bool,
        disabled: bool,
        state: Option<InstanceState>,
        now_ms: Option<i64>,
        uninvited: bool,
        public: bool,
        inside: bool,
        locked: bool,
        banned: bool,
        participants: Option<u32>,
    }

    #[rstest]
    #[case(But::default(), "in_audience")]
    #[case(But { public: true, uninvited: true, ..But::default() }, "public")]
    #[case(But { unknown: true, ..But::default() }, "unknown_user")]
    #[case(But { disabled: true, locked: true, ..But::default() }, "disabled")]
    #[case(But { state: Some(InstanceState::Scheduled), now_ms: Some(500), ..But::default() }, "not_started")]
    #[case(But { now_ms: Some(9_000), ..But::default() }, "ended")]
    #[case(But { state: Some(InstanceState::Ending), ..But::default() }, "ended")]
    #[case(But { state: Some(InstanceState::Ended), banned: true, ..But::default() }, "ended")]
    #[case(But { inside: true, locked: true, ..But::default() }, "already_participant")]
    #[case(But { uninvited: true, banned: true, ..But::default() }, "not_in_audience")]
    #[case(But { banned: true, locked: true, ..But::default() }, "banned")]
    #[case(But { locked: true, participants: Some(10_000), ..But::default() }, "locked")]
    #[case(But { participants: Some(10_000), ..But::default() }, "full")]
    fn first_deciding_rule_is_explained(#[case] but: But, #[case] rule: &str) {
        let user = ada();
        let mut instance = instance();
        instance.state = but.state.unwrap_or(instance.state);
        instance.is_public = but.public;
        instance.participants = but.participants.unwrap_or(instance.participants);
        let mut restrictions = Restrictions {
            locked: but.locked,
            ..Restrictions::default()
        };
        if but.banned {
            restrictions.banned.insert(user.id);
        }
        let verdict = joining(Case {
            user: (!but.unknown).then_some(&user),
            disabled: but.disabled,
            instance: &instance,
            invited: !but.uninvited,
            is_participant: but.inside,
            restrictions: &restrictions,
            now: Timestamp::from_ms(but.now_ms.unwrap_or(2_000)),
        });
        assert_eq!(verdict.rule, rule);
        assert_eq!(verdict.allowed, ["public", "in_audience"].contains(&rule));
        assert!(verdict.explanation.ends_with('.') && !verdict.remedy.is_empty());
    }
}
