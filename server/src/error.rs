//! The two kinds of "no": a `Reject` is an answer for the person, a `Fault` is something broken.

use std::error::Error as StdError;

use plenary_shared::domain::{Code, Reject};

/// Something broke. It is logged once, at the edge, with an id; the person sees no more than that.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A store does not answer, or not in time. What was asked may or may not have been done.
    #[error("{store} is away: {source}")]
    Away {
        /// Which store: `Redis`, `MySQL`.
        store: &'static str,
        /// What its client said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A store, or we, did what must not happen.
    #[error("{what}: {source}")]
    Broken {
        /// What was being done.
        what: &'static str,
        /// What went wrong.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Fault {
    /// A store that does not answer.
    pub fn away(store: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Away {
            store,
            source: source.into(),
        }
    }

    /// Something that must not happen.
    pub fn broken(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Broken {
            what,
            source: source.into(),
        }
    }
}

/// A cause that people may read: a sentence that says more than the code's own.
#[derive(Debug, thiserror::Error)]
#[error("{sentence} ({source})")]
pub struct Plain {
    /// What people are told.
    pub sentence: &'static str,
    /// What lies behind it, for the log alone.
    pub source: Box<dyn StdError + Send + Sync>,
}

impl Fault {
    /// What the person is told of it: what to do, and the id under which it was logged.
    pub fn told(&self, id: &str) -> Reject {
        let (code, sentence) = match self {
            Self::Away { source, .. } => {
                let plain = source.downcast_ref::<Plain>();
                (Code::Unavailable, plain.map(|plain| plain.sentence))
            }
            Self::Broken { .. } => (Code::Internal, None),
        };
        let sentence = sentence.unwrap_or(code.sentence());
        Reject::new(code, format!("{sentence} (id {id})"))
    }
}

/// Why a verb was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person may not, or asked for what is not there.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// Something broke.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Reject(code.into())
    }
}

/// What a verb answers.
pub type Answer<T> = Result<T, Error>;
