//! Which rule allows somebody to join an instance, or forbids it, and what would change that. The
//! stores' atoms decide; this tells why, by the same rules in the same order.

use plenary_shared::domain::{Instance, InstanceState, Restrictions, User};
use plenary_shared::limits::PARTICIPANTS_MAX;
use plenary_shared::protocol::Verdict;
use plenary_shared::time::Timestamp;

/// What is known of somebody who wants to join.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who; `None`: nobody has this address.
    pub person: Option<&'a User>,
    /// Whether their account is disabled.
    pub disabled: bool,
    /// Where.
    pub instance: &'a Instance,
    /// Whether their address is in the audience.
    pub invited: bool,
    /// Whether they are in.
    pub inside: bool,
    /// What holds because admins said so.
    pub restrictions: &'a Restrictions,
    /// When.
    pub now: Timestamp,
}

/// Why somebody may join, or may not.
pub fn joining(case: Case<'_>) -> Verdict {
    let at = case.instance.id;
    let Some(person) = case.person else {
        return no(
            "unknown_person",
            "Nobody has an account with this address.".to_owned(),
            "Add the person: plenary-server user add.".to_owned(),
        );
    };
    let who = &person.email;
    if case.disabled {
        return no(
            "disabled",
            format!("The account {who} is disabled: it cannot sign in."),
            "Enable the account.".to_owned(),
        );
    }
    if let Some(verdict) = by_time(&case) {
        return verdict;
    }
    let banned = case.restrictions.banned.contains(&person.id);
    if case.inside {
        no(
            "already_in",
            format!("{who} is in {at} already."),
            "Nothing: another terminal of theirs can open it.".to_owned(),
        )
    } else if !case.instance.is_public && !case.invited {
        no(
            "not_in_audience",
            format!("{at} is private, and {who} is not in its audience."),
            "Add the address to the meeting's audience, or make the meeting public.".to_owned(),
        )
    } else if banned {
        no(
            "banned",
            format!("An admin removed {who} from {at} for good."),
            format!("plenary admin unban {at} {who}"),
        )
    } else if case.restrictions.locked {
        no(
            "locked",
            format!("An admin has locked {at}: nobody joins any more."),
            format!("plenary admin unlock {at}"),
        )
    } else if case.instance.participants as usize >= PARTICIPANTS_MAX {
        no(
            "full",
            format!("{at} has {PARTICIPANTS_MAX} participants, as many as may be."),
            "Somebody has to leave.".to_owned(),
        )
    } else {
        let (rule, because) = if case.instance.is_public {
            (
                "public",
                format!("{at} is public: whoever is signed in may join."),
            )
        } else {
            ("in_audience", format!("{who} is in the audience of {at}."))
        };
        Verdict {
            allowed: true,
            rule: rule.to_owned(),
            explanation: because,
            remedy: "A lock, a ban or the end of the meeting.".to_owned(),
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
    let over = match state {
        InstanceState::Scheduled if *from > case.now => {
            return Some(no(
                "not_begun",
                format!("{id} begins at {from}."),
                "Its start.".to_owned(),
            ));
        }
        InstanceState::Scheduled | InstanceState::Active => *to <= case.now,
        InstanceState::Ending | InstanceState::Ended => true,
    };
    over.then(|| {
        no(
            "over",
            format!("{id} is over; its time was up to {to}."),
            "Nothing: schedule another instance of the meeting.".to_owned(),
        )
    })
}

fn no(rule: &'static str, because: String, change: String) -> Verdict {
    Verdict {
        allowed: false,
        rule: rule.to_owned(),
        explanation: because,
        remedy: change,
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
        }
    }

    /// What differs from somebody who is invited and not in, while it goes on.
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
    #[case(But { unknown: true, ..But::default() }, "unknown_person")]
    #[case(But { disabled: true, locked: true, ..But::default() }, "disabled")]
    #[case(But { state: Some(InstanceState::Scheduled), now_ms: Some(500), ..But::default() }, "not_begun")]
    #[case(But { now_ms: Some(9_000), ..But::default() }, "over")]
    #[case(But { state: Some(InstanceState::Ending), ..But::default() }, "over")]
    #[case(But { state: Some(InstanceState::Ended), banned: true, ..But::default() }, "over")]
    #[case(But { inside: true, locked: true, ..But::default() }, "already_in")]
    #[case(But { uninvited: true, banned: true, ..But::default() }, "not_in_audience")]
    #[case(But { banned: true, locked: true, ..But::default() }, "banned")]
    #[case(But { locked: true, participants: Some(10_000), ..But::default() }, "locked")]
    #[case(But { participants: Some(10_000), ..But::default() }, "full")]
    fn the_first_rule_that_decides_is_told(#[case] but: But, #[case] rule: &str) {
        let person = ada();
        let mut instance = instance();
        instance.state = but.state.unwrap_or(instance.state);
        instance.is_public = but.public;
        instance.participants = but.participants.unwrap_or(instance.participants);
        let mut restrictions = Restrictions {
            locked: but.locked,
            ..Restrictions::default()
        };
        if but.banned {
            restrictions.banned.insert(person.id);
        }
        let verdict = joining(Case {
            person: (!but.unknown).then_some(&person),
            disabled: but.disabled,
            instance: &instance,
            invited: !but.uninvited,
            inside: but.inside,
            restrictions: &restrictions,
            now: Timestamp::from_ms(but.now_ms.unwrap_or(2_000)),
        });
        assert_eq!(verdict.rule, rule);
        assert_eq!(verdict.allowed, ["public", "in_audience"].contains(&rule));
        assert!(verdict.explanation.ends_with('.') && !verdict.remedy.is_empty());
    }
}
