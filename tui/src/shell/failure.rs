//! Why a command ends without having done its work, and the exit code that says so.

use std::fmt;
use std::io;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::text::for_terminal;

use crate::api::ApiError;
use crate::config::ConfigError;
use crate::session::SessionError;

/// A command's end.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody reads what is printed any more; that is nobody's fault.
    PipeClosed,
    /// To be told on one line.
    Told {
        /// How the process ends.
        exit: Exit,
        /// The code in parentheses.
        code: String,
        /// What to do about it.
        sentence: String,
    },
}

/// The exit codes other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Something else.
    Other = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Not signed in.
    NotSignedIn = 3,
    /// The server refused.
    Refused = 4,
    /// The server, or the data behind it, cannot be reached.
    Unreachable = 5,
}

impl Failure {
    /// A failure with its sentence.
    pub fn told(exit: Exit, code: &str, sentence: impl Into<String>) -> Self {
        Self::Told {
            exit,
            code: code.to_owned(),
            sentence: sentence.into(),
        }
    }

    /// Something that is neither the server's nor the command line's doing.
    pub fn other(sentence: impl Into<String>) -> Self {
        Self::told(Exit::Other, "failed", sentence)
    }

    /// The command line asks for what cannot be.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::told(Exit::Usage, "usage", sentence)
    }

    /// The process's exit code.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::PipeClosed => 0,
            Self::Told { exit, .. } => *exit as u8,
        }
    }

    /// The same with what went before it said in front.
    #[must_use]
    pub fn after(self, before: &str) -> Self {
        match self {
            Self::PipeClosed => self,
            Self::Told {
                exit,
                code,
                sentence,
            } => Self::Told {
                exit,
                code,
                sentence: format!("{before}{sentence}"),
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PipeClosed => f.write_str("nobody reads the output"),
            Self::Told { code, sentence, .. } => {
                write!(f, "{} ({})", for_terminal(sentence), for_terminal(code))
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let sentence = error.to_string();
        match error {
            ApiError::Unreachable { .. } => Self::told(Exit::Unreachable, "unreachable", sentence),
            ApiError::Foreign { status, .. } => {
                let exit = exit_of(status);
                Self::told(exit, "not_understood", sentence)
            }
            ApiError::Refused(refusal) => {
                Self::told(exit_of(refusal.status), &refusal.code, sentence)
            }
        }
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        let exit = match reject.code {
            Code::NotSignedIn | Code::WrongPassword => Exit::NotSignedIn,
            Code::ArchiveBehind | Code::Unavailable => Exit::Unreachable,
            Code::Internal => Exit::Other,
            Code::Malformed
            | Code::Invalid
            | Code::BodyEmpty
            | Code::BodyTooLong
            | Code::BodyControl
            | Code::TooLarge
            | Code::AdminsOnly
            | Code::NotYourself
            | Code::NotFound
            | Code::NotStarted
            | Code::Ended
            | Code::NotAllowed
            | Code::AlreadyParticipant
            | Code::NotParticipant
            | Code::Full
            | Code::Locked
            | Code::Banned
            | Code::Disabled
            | Code::ReadOnly
            | Code::Muted
            | Code::AlreadySo
            | Code::NotScheduled
            | Code::TooManyFollowed
            | Code::NoSuchMessage
            | Code::NotYours
            | Code::MessageDeleted
            | Code::TooManyRequests => Exit::Refused,
        };
        Self::told(exit, reject.code.as_str(), reject.detail)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::told(Exit::Usage, "configuration", error.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::told(Exit::Other, "session", error.to_string())
    }
}

/// What went wrong with standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::PipeClosed
        } else {
            Self::other(format!("The output cannot be written: {error}."))
        }
    }
}

/// How the process ends when the server answered with this HTTP status.
fn exit_of(status: u16) -> Exit {
    match status {
        401 => Exit::NotSignedIn,
        502..=504 => Exit::Unreachable,
        400..500 => Exit::Refused,
        _ => Exit::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Code::NotSignedIn, 3)]
    #[case(Code::WrongPassword, 3)]
    #[case(Code::NotAllowed, 4)]
    #[case(Code::NotFound, 4)]
    #[case(Code::Unavailable, 5)]
    #[case(Code::Internal, 1)]
    fn a_no_has_its_exit_code(#[case] code: Code, #[case] expected: u8) {
        assert_eq!(Failure::from(Reject::from(code)).exit_code(), expected);
    }

    #[test]
    fn it_is_one_line_whatever_the_server_says() {
        let failure = Failure::from(Reject::new(Code::Full, "a\nb\u{1b}[2Jc"));
        assert_eq!(failure.to_string(), "a b[2Jc (full)");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
    }
}
