//! Editing, deleting and searching messages, and read positions.

use serde::{Deserialize, Serialize};

use super::Message;
use crate::ids::{Cmid, InstanceId, Seq};
use crate::limits;
use crate::search::Place;
use crate::text::MessageBody;

/// See [`super::Verb::Edit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The seq of the user's message.
    pub target: Seq,
    /// An id that the client chooses. A retry under the same id has no effect.
    pub cmid: Cmid,
    /// The new text.
    pub body: MessageBody,
}

/// See [`super::Verb::Delete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The seq of the user's message.
    pub target: Seq,
    /// An id that the client chooses. A retry under the same id has no effect.
    pub cmid: Cmid,
}

/// See [`super::Verb::Read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRead {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The seq of the last event that the user has read. A seq above the last of the log counts as
    /// the last.
    pub seq: Seq,
}

/// The read position of the user in an instance, and the unread messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unread {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The seq of the last event that the user has read; 0 for none.
    pub read: Seq,
    /// Messages of other users after that, without deleted ones.
    pub unread: u64,
    /// How many of them mention the user.
    pub mentions: u64,
}

/// See [`super::Verb::Search`], and [`crate::search`] for the syntax of `query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The query as the user typed it.
    pub query: String,
    /// The `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Place>,
    /// The maximum number of hits.
    #[serde(default = "page_default")]
    pub limit: usize,
}

fn page_default() -> usize {
    limits::SEARCH_PAGE_DEFAULT
}

/// The answer to [`super::Verb::Search`], and to `GET /search`. The newest messages may
/// be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchOk {
    /// The hits, newest first. A page may hold fewer than `limit` although there are more: see `next`.
    pub hits: Vec<SearchHit>,
    /// Where the next page starts. Left out on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub next: Option<Place>,
}

/// A message that matches a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchHit {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The meeting's title.
    pub title: String,
    /// Whether the instance is active.
    pub live: bool,
    /// The message as it is now.
    #[serde(flatten)]
    pub message: Message,
}
