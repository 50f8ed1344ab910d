//! `plenary admin`: commands for admins, their arguments and help texts.

use clap::{Args, Subcommand};
use plenary_shared::time::{Timestamp, parse_length};

use super::InstanceArg;

mod users;

pub use users::{AddUser, SetPassword, SetRole, User, UserArg, UserCommand};

/// `plenary admin`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Opens the dashboard if no command is given. Requires the role admin. \
    Participants see each\nmoderation action, the admin who took it and the reason.\n\n\
    Examples:\n  plenary admin\n  plenary admin extend 1/4 +30m --reason 'not done yet'\n  \
    plenary admin remove 1/4 mallory@example.org --ban --reason spam\n  \
    plenary admin user disable mallory@example.org"
)]
pub struct Admin {
    /// The command. `None` opens the dashboard.
    #[command(subcommand)]
    pub command: Option<AdminCommand>,
}

/// The commands of `plenary admin`.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// End a meeting now
    #[command(after_help = "Example:\n  plenary admin end 1/4 --reason 'fire drill'")]
    End(ModerateArgs),
    /// Extend a meeting
    #[command(after_help = "Examples:\n  plenary admin extend 1/4 +30m\n  \
        plenary admin extend 1/4 2026-05-06T13:00:00Z")]
    Extend(Extend),
    /// Lock a meeting so that no one can join
    #[command(
        after_help = "Participants stay in the meeting.\n\nExample:\n  plenary admin lock 1/4"
    )]
    Lock(ModerateArgs),
    /// Unlock a meeting
    #[command(after_help = "Example:\n  plenary admin unlock 1/4")]
    Unlock(ModerateArgs),
    /// Turn read-only on or off
    #[command(after_help = "Only admins can post in a read-only meeting.\n\n\
        Examples:\n  plenary admin read-only 1/4\n  plenary admin read-only 1/4 --off")]
    ReadOnly(ReadOnly),
    /// Mute a participant
    #[command(after_help = "A muted participant cannot post.\n\n\
        Example:\n  plenary admin mute 1/4 mallory@example.org --reason spam")]
    Mute(UserModerateArgs),
    /// Unmute a participant
    #[command(after_help = "Example:\n  plenary admin unmute 1/4 mallory@example.org")]
    Unmute(UserModerateArgs),
    /// Remove a participant
    #[command(
        after_help = "A removed participant can join again unless --ban is given.\n\n\
        Example:\n  plenary admin remove 1/4 mallory@example.org --ban --reason spam"
    )]
    Remove(Remove),
    /// Lift the ban on a user
    #[command(after_help = "Example:\n  plenary admin unban 1/4 mallory@example.org")]
    Unban(UserModerateArgs),
    /// Post an announcement to a meeting
    #[command(after_help = "Example:\n  plenary admin announce 1/4 'Coffee is ready'")]
    Announce(Announce),
    /// Explain why a user can or cannot join a meeting
    #[command(after_help = "Example:\n  plenary admin explain hamid@example.org 1/4")]
    Explain(Explain),
    /// Manage users, their roles, passwords and sessions
    #[command(after_help = "Examples:\n  plenary admin user list\n  \
        plenary admin user add --name Ada --email ada@example.org")]
    User(User),
}

/// `plenary admin explain`
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// Email of the user
    #[arg(value_name = "EMAIL")]
    pub email: String,
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
}

/// The arguments of each moderation command.
#[derive(Clone, Debug, Args)]
pub struct ModerateArgs {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Reason that participants see (one line)
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `plenary admin extend`
#[derive(Clone, Debug, Args)]
pub struct Extend {
    /// The instance and the reason.
    #[command(flatten)]
    pub args: ModerateArgs,
    /// Duration to add, such as +30m, or new end, such as 2026-05-06T13:00:00Z
    #[arg(value_name = "DURATION|TIME", value_parser = extension)]
    pub extension: Extension,
}

/// How far `extend` moves the end of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// By this many minutes.
    Minutes(u32),
    /// To this time.
    Until(Timestamp),
}

/// `plenary admin read-only`
#[derive(Clone, Debug, Args)]
pub struct ReadOnly {
    /// The instance and the reason.
    #[command(flatten)]
    pub args: ModerateArgs,
    /// Turn read-only off
    #[arg(long)]
    pub off: bool,
}

/// The arguments of moderation commands that act on one user.
#[derive(Clone, Debug, Args)]
pub struct UserModerateArgs {
    /// The instance and the reason.
    #[command(flatten)]
    pub args: ModerateArgs,
    /// The user.
    #[command(flatten)]
    pub user: UserArg,
}

/// `plenary admin remove`
#[derive(Clone, Debug, Args)]
pub struct Remove {
    /// The instance, the reason and the user.
    #[command(flatten)]
    pub target: UserModerateArgs,
    /// Ban the user from joining again
    #[arg(long)]
    pub ban: bool,
}

/// `plenary admin announce`
#[derive(Clone, Debug, Args)]
pub struct Announce {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Announcement (several words are joined with spaces)
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
}

/// Parses `+30m`, `90m`, `+2h` or a time.
fn extension(text: &str) -> Result<Extension, String> {
    let length = text.strip_prefix('+').unwrap_or(text);
    if let Ok(length) = parse_length(length) {
        let minutes = u32::try_from(length.num_minutes()).unwrap_or_default();
        if minutes > 0 {
            return Ok(Extension::Minutes(minutes));
        }
    }
    text.parse().map(Extension::Until).map_err(|_| {
        "expected a duration such as +30m or a time such as 2026-05-06T13:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_is_a_duration_or_a_time() {
        assert_eq!(extension("+30m"), Ok(Extension::Minutes(30)));
        assert_eq!(extension("2h"), Ok(Extension::Minutes(120)));
        let until = "2026-05-06T13:00:00Z";
        let at = until.parse().expect("a time");
        assert_eq!(extension(until), Ok(Extension::Until(at)));
        for bad in ["", "+", "0m", "soon", "-30m"] {
            assert!(extension(bad).is_err(), "{bad}");
        }
    }
}
