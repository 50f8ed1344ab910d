//! The limit on open descriptors, from which the limits on connections follow.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that the server asks for, at most: a million connections.
const DESCRIPTORS_MAX: u64 = 1_048_576;

/// Raises the limit of this process as far as the system allows. Returns it.
pub(super) fn raise_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .unwrap_or(DESCRIPTORS_MAX)
        .min(DESCRIPTORS_MAX);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, wanted, "raising the limit on descriptors failed");
        }
    }
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.unwrap_or(DESCRIPTORS_MAX).min(DESCRIPTORS_MAX);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
