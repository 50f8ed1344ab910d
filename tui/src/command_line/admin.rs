//! `plenary admin`: what only admins do, its arguments and its help.

use clap::{Args, Subcommand};
use plenary_shared::time::{Timestamp, parse_length};

use super::Where;

mod people;

pub use people::{AddUser, OfUser, SetPassword, SetRole, User, UserCommand};

/// `plenary admin`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Needs the role admin. Everybody in the meeting is told what was done to it, by whom and why.\n\n\
    Examples:\n  plenary admin\n  plenary admin extend 1/4 +30m --reason 'not done yet'\n  \
    plenary admin remove 1/4 mallory@example.org --ban --reason spam\n  \
    plenary admin announce 1/4 'Coffee is ready'\n  \
    plenary admin explain hamid@example.org 1/4\n  \
    plenary admin user disable mallory@example.org"
)]
pub struct Admin {
    /// What to do; without one, the dashboard is opened.
    #[command(subcommand)]
    pub measure: Option<AdminCommand>,
}

/// What an admin does.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// End a meeting now
    End(Steer),
    /// Move the end to later
    Extend(Extend),
    /// Let nobody join any more; who is in stays in
    Lock(Steer),
    /// Let people join again
    Unlock(Steer),
    /// Let nobody write any more, or with --off let them again
    ReadOnly(ReadOnly),
    /// Let somebody write no more
    Mute(Concern),
    /// Let them write again
    Unmute(Concern),
    /// Take somebody out at once
    Remove(Remove),
    /// Let somebody come back who was removed with --ban
    Unban(Concern),
    /// Tell everybody something
    Announce(Announce),
    /// Say why somebody may join a meeting, or may not
    Explain(Explain),
    /// Add people, give them roles and passwords, shut them out, end their sessions
    User(User),
}

/// `plenary admin explain`
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// Whose e-mail address
    #[arg(value_name = "EMAIL")]
    pub email: String,
    /// Where.
    #[command(flatten)]
    pub at: Where,
}

/// Where, and why.
#[derive(Clone, Debug, Args)]
pub struct Steer {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// Why: one line, told to everybody
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `plenary admin extend`
#[derive(Clone, Debug, Args)]
pub struct Extend {
    /// Where, and why.
    #[command(flatten)]
    pub steer: Steer,
    /// By a length like +30m, or to a time like 2026-05-06T13:00:00Z
    #[arg(value_name = "LENGTH|TIME", value_parser = longer)]
    pub longer: Longer,
}

/// By how much longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longer {
    /// So many minutes.
    Minutes(u32),
    /// Until then.
    Until(Timestamp),
}

/// `plenary admin read-only`
#[derive(Clone, Debug, Args)]
pub struct ReadOnly {
    /// Where, and why.
    #[command(flatten)]
    pub steer: Steer,
    /// Let people write again
    #[arg(long)]
    pub off: bool,
}

/// Where, whom, and why.
#[derive(Clone, Debug, Args)]
pub struct Concern {
    /// Where, and why.
    #[command(flatten)]
    pub steer: Steer,
    /// Whom: a userID or an e-mail address
    #[arg(value_name = "WHO")]
    pub who: String,
}

/// `plenary admin remove`
#[derive(Clone, Debug, Args)]
pub struct Remove {
    /// Where, whom, and why.
    #[command(flatten)]
    pub of: Concern,
    /// They may not come back
    #[arg(long)]
    pub ban: bool,
}

/// `plenary admin announce`
#[derive(Clone, Debug, Args)]
pub struct Announce {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// What to say; several words become one text
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
}

/// Reads `+30m`, `90m`, `+2h` or a time.
fn longer(text: &str) -> Result<Longer, String> {
    let length = text.strip_prefix('+').unwrap_or(text);
    if let Ok(length) = parse_length(length) {
        let minutes = u32::try_from(length.num_minutes()).unwrap_or_default();
        if minutes > 0 {
            return Ok(Longer::Minutes(minutes));
        }
    }
    text.parse()
        .map(Longer::Until)
        .map_err(|_| "must be a length like +30m or a time like 2026-05-06T13:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_or_a_time_makes_it_longer() {
        assert_eq!(longer("+30m"), Ok(Longer::Minutes(30)));
        assert_eq!(longer("2h"), Ok(Longer::Minutes(120)));
        let until = "2026-05-06T13:00:00Z";
        let at = until.parse().expect("a time");
        assert_eq!(longer(until), Ok(Longer::Until(at)));
        for bad in ["", "+", "0m", "soon", "-30m"] {
            assert!(longer(bad).is_err(), "{bad}");
        }
    }
}
