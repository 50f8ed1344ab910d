//! Errors: a `Reject` is an answer for the user, a `Fault` is an outage or a defect.

use std::error::Error as StdError;

use plenary_shared::domain::{Code, Reject};

/// An outage or a defect. It is logged once, at the edge, with an id; the user sees only the id.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A store did not answer in time. The operation may or may not have happened.
    #[error("{store} is unavailable: {source}")]
    Unavailable {
        /// The store, such as `Redis` or `MySQL`.
        store: &'static str,
        /// The error of its client library.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A defect of the server, or an answer of a store that should be impossible.
    #[error("{what}: {source}")]
    Broken {
        /// The operation, as a gerund: "reading a password hash".
        what: &'static str,
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Fault {
    /// Returns the fault of a store that does not answer.
    pub fn unavailable(
        store: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Unavailable {
            store,
            source: source.into(),
        }
    }

    /// Returns the fault of something that should be impossible.
    pub fn broken(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Broken {
            what,
            source: source.into(),
        }
    }
}

/// A cause with a sentence that users may read instead of the code's general sentence.
#[derive(Debug, thiserror::Error)]
#[error("{sentence} ({source})")]
pub struct Plain {
    pub sentence: &'static str,
    /// The cause, for the log only.
    pub source: Box<dyn StdError + Send + Sync>,
}

impl Fault {
    /// Returns the answer for the user: what to do, and the id under which the fault was logged.
    pub fn reject(&self, id: &str) -> Reject {
        let (code, sentence) = match self {
            Self::Unavailable { source, .. } => {
                let plain = source.downcast_ref::<Plain>();
                (Code::Unavailable, plain.map(|plain| plain.sentence))
            }
            Self::Broken { .. } => (Code::Internal, None),
        };
        let sentence = sentence.unwrap_or(code.sentence());
        Reject::new(code, format!("{sentence} (id {id})"))
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is not allowed, or names something that does not exist.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// The server could not do it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Reject(code.into())
    }
}

/// The result of a request.
pub type Answer<T> = Result<T, Error>;
