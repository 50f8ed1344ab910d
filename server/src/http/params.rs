//! The parameters of routes, from the path and the query, with their documentation.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query as RawQuery, RawPathParams};
use axum::http::request::Parts;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{InstanceId, MeetingId, OrderId, Seq, UserId};
use plenary_shared::limits::{PAGE_DEFAULT, PAGE_MAX, SEARCH_PAGE_DEFAULT, SEARCH_PAGE_MAX};
use plenary_shared::protocol::{Search, SessionId};
use plenary_shared::search::Place;
use utoipa::IntoParams;

use super::error::HttpError;
use crate::rules::PageAsked;

/// Extracts the parameters of the path.
pub(super) struct Path<T>(pub(super) T);

/// Extracts the parameters of the query.
pub(super) struct Query<T>(pub(super) T);

/// Parameters that are read from decoded fields.
pub(super) trait FromFields: Sized {
    fn from_fields(fields: &Fields) -> Result<Self, Reject>;
}

/// An instance of a meeting.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InstancePath {
    /// The id of the meeting.
    #[param(rename = "meetingID")]
    meeting: MeetingId,
    /// The number of the instance in its meeting.
    #[param(rename = "orderID")]
    order: OrderId,
}

/// A meeting.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct MeetingPath {
    /// The id of the meeting.
    #[param(rename = "meetingID")]
    pub(super) meeting: MeetingId,
}

/// A message of an instance.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct MessagePath {
    /// The seq of the message.
    pub(super) seq: Seq,
}

/// A user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct UserPath {
    /// The id of the user.
    #[param(rename = "userID")]
    pub(super) user: UserId,
}

/// A session of a user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionPath {
    /// The id of the session, from the list of sessions.
    #[param(rename = "sessionID", value_type = String, pattern = "^[0-9a-f]{16}$")]
    pub(super) session: SessionId,
}

/// The caller.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CallerQuery {
    /// Optional. Must be the id of the signed-in user.
    #[param(rename = "userID")]
    pub(super) user: Option<UserId>,
}

/// A page of events or messages. Takes at most one of `after` and `before`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Returns the first entries after this seq.
    after: Option<Seq>,
    /// Returns the last entries before this seq.
    before: Option<Seq>,
    /// The largest number of entries.
    #[param(minimum = 1, maximum = 1_000, default = 100)]
    limit: Option<usize>,
}

/// A search.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// Beginnings of words, or `"quoted text"` that matches anywhere, and the filters `from:ada`, `in:1`
    /// or `in:1/4`, `after:2026-11-01`, `before:2026-12-01` (days in UTC).
    #[param(rename = "q")]
    query: String,
    /// The value of `next` from the previous page.
    #[param(value_type = Option<String>)]
    before: Option<Place>,
    /// The largest number of messages.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
}

/// A page of meetings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MeetingsQuery {
    /// Returns meetings with an id above this.
    pub(super) after: Option<MeetingId>,
}

/// A page of users, or one user.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    /// Returns users with an id above this.
    pub(super) after: Option<UserId>,
    /// Returns only the user with this email address.
    pub(super) email: Option<String>,
}

/// A user by email address.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EmailQuery {
    /// The email address of the user.
    pub(super) email: String,
}

/// The options of an audience import.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// Removes all addresses that are not on the list.
    #[param(value_type = Option<bool>)]
    pub(super) replace: bool,
    /// Changes nothing if a line is invalid.
    #[param(value_type = Option<bool>)]
    pub(super) strict: bool,
}

impl InstancePath {
    pub(super) fn id(&self) -> InstanceId {
        InstanceId::new(self.meeting, self.order)
    }
}

impl PageQuery {
    pub(super) fn page(&self) -> PageAsked {
        PageAsked {
            after: self.after,
            before: self.before,
            limit: self.limit.unwrap_or(PAGE_DEFAULT),
        }
    }
}

impl SearchQuery {
    pub(super) fn search(self) -> Search {
        Search {
            query: self.query,
            before: self.before,
            limit: self.limit.unwrap_or(SEARCH_PAGE_DEFAULT),
        }
    }
}

impl FromFields for InstancePath {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        Ok(Self {
            meeting: fields.required("meetingID")?,
            order: fields.required("orderID")?,
        })
    }
}

impl FromFields for MeetingPath {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let meeting = fields.required("meetingID")?;
        Ok(Self { meeting })
    }
}

impl FromFields for MessagePath {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let seq = fields.required("seq")?;
        Ok(Self { seq })
    }
}

impl FromFields for UserPath {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let user = fields.required("userID")?;
        Ok(Self { user })
    }
}

impl FromFields for SessionPath {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let session = fields.required("sessionID")?;
        Ok(Self { session })
    }
}

impl FromFields for CallerQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let user = fields.optional("userID")?;
        Ok(Self { user })
    }
}

impl FromFields for PageQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        Ok(Self {
            after: fields.optional("after")?,
            before: fields.optional("before")?,
            limit: fields.limit(PAGE_MAX)?,
        })
    }
}

impl FromFields for SearchQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        Ok(Self {
            query: fields.required("q")?,
            before: fields.optional("before")?,
            limit: fields.limit(SEARCH_PAGE_MAX)?,
        })
    }
}

impl FromFields for MeetingsQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let after = fields.optional("after")?;
        Ok(Self { after })
    }
}

impl FromFields for UsersQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        Ok(Self {
            after: fields.optional("after")?,
            email: fields.optional("email")?,
        })
    }
}

impl FromFields for EmailQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let email = fields.required("email")?;
        Ok(Self { email })
    }
}

impl FromFields for ImportQuery {
    fn from_fields(fields: &Fields) -> Result<Self, Reject> {
        let flag = |name| {
            let parse = |text: &str| text.parse::<bool>().map_err(|_| "must be true or false");
            fields.parse(name, parse).map(Option::unwrap_or_default)
        };
        Ok(Self {
            replace: flag("replace")?,
            strict: flag("strict")?,
        })
    }
}

/// The decoded fields of a path or a query.
pub(super) struct Fields {
    place: &'static str,
    fields: Vec<(String, String)>,
}

impl Fields {
    /// Parses a field that may be missing. A field that occurs twice is rejected. The parser's error
    /// continues the sentence "The field …".
    fn parse<T, E: ToString>(
        &self,
        name: &str,
        parser: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Reject> {
        let mut values = self.fields.iter().filter(|(key, _)| key == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(self.invalid(name, "must occur only once"));
        }
        let parsed = parser(value).map(Some);
        parsed.map_err(|error| self.invalid(name, &error.to_string()))
    }

    fn optional<T: FromStr<Err: ToString>>(&self, name: &str) -> Result<Option<T>, Reject> {
        self.parse(name, T::from_str)
    }

    fn required<T: FromStr<Err: ToString>>(&self, name: &str) -> Result<T, Reject> {
        self.optional(name)?
            .ok_or_else(|| self.invalid(name, "is missing"))
    }

    /// Parses the field `limit`. Its range is checked later.
    fn limit(&self, max: usize) -> Result<Option<usize>, Reject> {
        let what = format!("must be a whole number from 1 to {max}");
        self.parse("limit", |text| text.parse().map_err(|_| what))
    }

    fn invalid(&self, name: &str, what: &str) -> Reject {
        let detail = format!("The field {name} in the {} {what}.", self.place);
        Reject::new(Code::Invalid, detail)
    }
}

impl<T: FromFields, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Reject::new(Code::Malformed, "The path is not UTF-8."))?;
        let fields = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let fields = Fields {
            place: "path",
            fields: fields.collect(),
        };
        Ok(Self(T::from_fields(&fields)?))
    }
}

impl<T: FromFields, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let RawQuery(fields) = RawQuery::try_from_uri(&parts.uri)
            .map_err(|_| Reject::new(Code::Malformed, "The query must be a list of name=value."))?;
        let fields = Fields {
            place: "query",
            fields,
        };
        Ok(Self(T::from_fields(&fields)?))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use axum::response::IntoResponse;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", None)]
    #[case("?after=7", None)]
    #[case("?before=9007199254740991&limit=1", None)]
    #[case("?other=x", None)]
    #[case(
        "?after=-1",
        Some("The field after in the query must be a whole number from 0 to 9007199254740991.")
    )]
    #[case(
        "?before=9007199254740992",
        Some("The field before in the query must be a whole number from 0 to")
    )]
    #[case("?after=", Some("The field after in the query must be a whole number"))]
    #[case(
        "?after=1&after=2",
        Some("The field after in the query must occur only once.")
    )]
    #[case(
        "?limit=many",
        Some("The field limit in the query must be a whole number from 1 to 1000.")
    )]
    #[case("?limit=%ff", Some("The field limit in the query"))]
    #[tokio::test]
    async fn pages_are_read_from_the_query(#[case] query: &str, #[case] expected: Option<&str>) {
        let request = Request::builder().uri(format!("/{query}")).body(());
        let mut parts = request.expect("a request").into_parts().0;
        let read = Query::<PageQuery>::from_request_parts(&mut parts, &()).await;
        match (read, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                let response = error.into_response();
                assert_eq!(response.status().as_u16(), 422);
                let body = axum::body::to_bytes(response.into_body(), usize::MAX);
                let body = body.await.expect("a body");
                let reject: Reject = serde_json::from_slice(&body).expect("a reject");
                assert!(reject.detail.starts_with(expected), "{}", reject.detail);
            }
            (read, _) => panic!("{query}: {}", read.is_ok()),
        }
    }
}
