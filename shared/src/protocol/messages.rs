//! Requests about what was said: changing it, deleting it, how far it is read, and
//! finding it.

use serde::{Deserialize, Serialize};

use super::Message;
use crate::ids::{Cmid, InstanceId, Seq};
use crate::limits;
use crate::search::Place;
use crate::text::MessageBody;

/// See [`super::Verb::Edit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Which message of one's own.
    pub target: Seq,
    /// The client's own id of the change; the same id never makes a second change.
    pub cmid: Cmid,
    /// What it is to say.
    pub body: MessageBody,
}

/// See [`super::Verb::Delete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Which message of one's own.
    pub target: Seq,
    /// The client's own id of the change; the same id never makes a second change.
    pub cmid: Cmid,
}

/// See [`super::Verb::Read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRead {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The last seq that was read; beyond the log's last it counts as that.
    pub seq: Seq,
}

/// How far one has read an instance, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unread {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The last seq that was read; 0 where nothing was.
    pub read: Seq,
    /// Messages of others after that, without those that were deleted.
    pub unread: u64,
    /// How many of them speak of oneself.
    pub mentions: u64,
}

/// See [`super::Verb::Search`], and [`crate::search`] for what `query` may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// What is looked for, as it was typed.
    pub query: String,
    /// Only what is below this, which the page before said under `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Place>,
    /// At most so many.
    #[serde(default = "page_default")]
    pub limit: usize,
}

fn page_default() -> usize {
    limits::SEARCH_PAGE_DEFAULT
}

/// The answer to [`super::Verb::Search`], and to `GET /search`. What was said a moment ago may be
/// missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchOk {
    /// Newest first. May be fewer than were asked for although there are more: `next` says that.
    pub hits: Vec<SearchHit>,
    /// Where the next page goes on; missing at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub next: Option<Place>,
}

/// One message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchHit {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The meeting's title.
    pub title: String,
    /// Whether the instance is going on.
    pub live: bool,
    /// The message, as it is now.
    #[serde(flatten)]
    pub message: Message,
}
