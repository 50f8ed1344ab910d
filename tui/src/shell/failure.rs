//! Why a command failed, and its exit code.

use std::fmt;
use std::io;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::text::for_terminal;

use crate::api::ApiError;
use crate::config::ConfigError;
use crate::session::SessionError;

/// A failed command.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The reader of the output closed the pipe. Not an error.
    PipeClosed,
    /// An error, printed on one line.
    Error {
        exit: Exit,
        /// The error code, printed in parentheses.
        code: String,
        message: String,
    },
}

/// The exit codes of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Another error.
    Other = 1,
    /// The command line or the configuration is invalid.
    Usage = 2,
    NotSignedIn = 3,
    /// The server rejected the request.
    Rejected = 4,
    /// The server or its storage is unreachable.
    Unreachable = 5,
}

impl Failure {
    /// Creates an error.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self::Error {
            exit,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// Creates an error of this machine, such as an unwritable file.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Exit::Other, "failed", message)
    }

    /// Creates an error for an invalid command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Returns the exit code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::PipeClosed => 0,
            Self::Error { exit, .. } => *exit as u8,
        }
    }

    /// Returns the error with `prefix` before its message.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        match self {
            Self::PipeClosed => self,
            Self::Error {
                exit,
                code,
                message,
            } => Self::Error {
                exit,
                code,
                message: format!("{prefix}{message}"),
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PipeClosed => f.write_str("output closed"),
            Self::Error { code, message, .. } => {
                write!(f, "{} ({})", for_terminal(message), for_terminal(code))
            }
        }
    }
}

impl std::error::Error for Failure {}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let message = error.to_string();
        match error {
            ApiError::Unreachable { .. } => Self::new(Exit::Unreachable, "unreachable", message),
            ApiError::UnexpectedResponse { status, .. } => {
                Self::new(exit_of(status), "not_understood", message)
            }
            ApiError::Rejected(rejection) => {
                Self::new(exit_of(rejection.status), &rejection.code, message)
            }
        }
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        let exit = match reject.code {
            Code::NotSignedIn | Code::WrongPassword => Exit::NotSignedIn,
            Code::ArchiveBehind | Code::DiskReserve | Code::Unavailable => Exit::Unreachable,
            Code::Internal => Exit::Other,
            Code::Malformed
            | Code::Invalid
            | Code::BodyEmpty
            | Code::BodyTooLong
            | Code::BodyControl
            | Code::TooLarge
            | Code::UnsupportedMediaType
            | Code::OriginNotAllowed
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
            | Code::TooManyRequests
            | Code::RateLimited => Exit::Rejected,
        };
        Self::new(exit, reject.code.as_str(), reject.detail)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, "configuration", error.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::new(Exit::Other, "session", error.to_string())
    }
}

/// An error of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::PipeClosed
        } else {
            Self::other(format!("Cannot write the output: {error}."))
        }
    }
}

/// Returns the exit code for an HTTP status.
fn exit_of(status: u16) -> Exit {
    match status {
        401 => Exit::NotSignedIn,
        502..=504 => Exit::Unreachable,
        400..500 => Exit::Rejected,
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
    fn rejection_has_its_exit_code(#[case] code: Code, #[case] expected: u8) {
        assert_eq!(Failure::from(Reject::from(code)).exit_code(), expected);
    }

    #[test]
    fn error_is_printed_on_one_line() {
        let failure = Failure::from(Reject::new(Code::Full, "a\nb\u{1b}[2Jc"));
        assert_eq!(failure.to_string(), "a b[2Jc (full)");
    }

    #[test]
    fn closed_pipe_exits_with_zero() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
    }
}
