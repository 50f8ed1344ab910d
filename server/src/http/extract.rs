//! What handlers read from a request: who asks, where, which page, which body.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use plenary_shared::domain::{Code, Reject, User};
use plenary_shared::ids::{Cmid, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::limits::{IMPORT_BYTES_MAX, PAGE_MAX, SEARCH_PAGE_DEFAULT, SEARCH_PAGE_MAX};
use plenary_shared::protocol::Search;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{HttpError, HttpState};
use crate::ctx::Caller;
use crate::rules::{self, PageAsked, importing};
use crate::service::{account, user_admin};

/// Under which a client repeats a message without making a second one.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Who asks, by the login token alone. A `userID` in the query may only say the same.
pub(super) struct SignedIn(pub(super) Caller);

impl FromRequestParts<HttpState> for SignedIn {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let caller = account::authenticate(&state.ctx, bearer(parts)?).await?;
        let named = query(parts)?.read("userID", UserId::from_str)?;
        rules::yourself(&caller.user, named)?;
        Ok(Self(caller))
    }
}

/// Who asks, if they are an admin.
pub(super) struct Admin(pub(super) Caller);

impl FromRequestParts<HttpState> for Admin {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let SignedIn(caller) = SignedIn::from_request_parts(parts, state).await?;
        rules::admin(&caller.user)?;
        Ok(Self(caller))
    }
}

/// An admin, and the person in the path, whom they keep.
pub(super) struct Keeping {
    pub(super) by: Option<UserId>,
    pub(super) person: User,
}

impl FromRequestParts<HttpState> for Keeping {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let Admin(caller) = Admin::from_request_parts(parts, state).await?;
        let Of(user) = Of::from_request_parts(parts, state).await?;
        Ok(Self {
            by: Some(caller.user.id),
            person: user_admin::by_id(&state.ctx, user).await?,
        })
    }
}

/// The instance in the path.
pub(super) struct At(pub(super) InstanceId);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let path = path(parts, state).await?;
        let meeting = path.required("meetingID")?;
        let order = path.required("orderID")?;
        Ok(Self(InstanceId::new(meeting, order)))
    }
}

/// The person in the path.
pub(super) struct Of(pub(super) UserId);

impl<S: Send + Sync> FromRequestParts<S> for Of {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        Ok(Self(path(parts, state).await?.required("userID")?))
    }
}

/// The meeting in the path.
pub(super) struct Planned(pub(super) MeetingId);

impl<S: Send + Sync> FromRequestParts<S> for Planned {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        Ok(Self(path(parts, state).await?.required("meetingID")?))
    }
}

/// Behind which meeting the page begins that the query asks for.
pub(super) struct Behind(pub(super) Option<MeetingId>);

impl<S: Send + Sync> FromRequestParts<S> for Behind {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        Ok(Self(query(parts)?.read("after", FromStr::from_str)?))
    }
}

/// How the query means a list of addresses.
pub(super) struct Listed {
    pub(super) replace: bool,
    pub(super) strict: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Listed {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let query = query(parts)?;
        let flag = |name| {
            let read = |text: &str| text.parse::<bool>().map_err(|_| "must be true or false");
            query.read(name, read).map(Option::unwrap_or_default)
        };
        Ok(Self {
            replace: flag("replace")?,
            strict: flag("strict")?,
        })
    }
}

/// The number of a message in the path.
pub(super) struct Numbered(pub(super) Seq);

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        Ok(Self(path(parts, state).await?.required("seq")?))
    }
}

/// The address in the query.
pub(super) struct Email(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Email {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        Ok(Self(query(parts)?.required("email")?))
    }
}

/// Which people are asked for: those behind somebody, or the one with an address.
pub(super) struct Which {
    pub(super) after: Option<UserId>,
    pub(super) email: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let query = query(parts)?;
        Ok(Self {
            after: query.read("after", FromStr::from_str)?,
            email: query.read("email", |text| Ok::<_, String>(text.to_owned()))?,
        })
    }
}

/// The page in the query.
pub(super) struct Paging(pub(super) PageAsked);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let query = query(parts)?;
        let limit = |text: &str| {
            text.parse()
                .map_err(|_| format!("must be a whole number from 1 to {PAGE_MAX}"))
        };
        Ok(Self(PageAsked {
            after: query.read("after", FromStr::from_str)?,
            before: query.read("before", FromStr::from_str)?,
            limit: query
                .read("limit", limit)?
                .unwrap_or_else(|| PageAsked::default().limit),
        }))
    }
}

/// The search in the query.
pub(super) struct Sought(pub(super) Search);

impl<S: Send + Sync> FromRequestParts<S> for Sought {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let query = query(parts)?;
        let limit = |text: &str| {
            text.parse()
                .map_err(|_| format!("must be a whole number from 1 to {SEARCH_PAGE_MAX}"))
        };
        Ok(Self(Search {
            query: query.required("q")?,
            before: query.read("before", FromStr::from_str)?,
            limit: query.read("limit", limit)?.unwrap_or(SEARCH_PAGE_DEFAULT),
        }))
    }
}

/// The message's own id, if the client chose one.
pub(super) struct IdempotencyKey(pub(super) Option<Cmid>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        match value.to_str().ok().and_then(|text| text.parse().ok()) {
            Some(cmid) => Ok(Self(Some(cmid))),
            None => Err(invalid(
                "header Idempotency-Key",
                "must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
            )
            .into()),
        }
    }
}

/// A JSON body, whatever its content type says.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        json(&body(request, state).await?).map(Self)
    }
}

/// A JSON body that need not be there.
pub(super) struct MaybeJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let body = body(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        json(&body).map(Self)
    }
}

/// A list as a body, whatever its content type says.
pub(super) struct TextBody(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for TextBody {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let body = body(request, state).await.map_err(|reject| {
            if reject.code == Code::TooLarge {
                let detail =
                    format!("The list has more than {IMPORT_BYTES_MAX} bytes: import it in parts.");
                return Reject::new(Code::TooLarge, detail);
            }
            reject
        })?;
        Ok(Self(importing::decode(&body)?.to_owned()))
    }
}

/// The `userID` of a body that need not be there at all.
pub(super) struct Named(pub(super) Option<UserId>);

impl<S: Send + Sync> FromRequest<S> for Named {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(rename = "userID")]
            user: Option<UserId>,
        }
        let body = body(request, state).await?;
        if body.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(json::<Body>(&body)?.user))
    }
}

/// The fields of a path or a query, decoded.
struct Fields {
    place: &'static str,
    fields: Vec<(String, String)>,
}

impl Fields {
    /// A field that may be missing, but not be there twice.
    fn read<T, E: ToString>(
        &self,
        name: &str,
        reader: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Reject> {
        let mut values = self.fields.iter().filter(|(key, _)| key == name);
        let Some((_, value)) = values.next() else {
            return Ok(None);
        };
        let field = format!("{name} in the {}", self.place);
        if values.next().is_some() {
            return Err(invalid(&field, "is there more than once"));
        }
        reader(value)
            .map(Some)
            .map_err(|error| invalid(&field, &error.to_string()))
    }

    /// A field that its route has.
    fn required<T: FromStr<Err: ToString>>(&self, name: &str) -> Result<T, Reject> {
        self.read(name, T::from_str)?
            .ok_or_else(|| invalid(name, "is missing"))
    }
}

async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Fields, Reject> {
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Reject::new(Code::Malformed, "The path is not UTF-8."))?;
    Ok(Fields {
        place: "path",
        fields: params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    })
}

fn query(parts: &Parts) -> Result<Fields, Reject> {
    let Query(fields) = Query::try_from_uri(&parts.uri)
        .map_err(|_| Reject::new(Code::Malformed, "The query is no list of name=value."))?;
    Ok(Fields {
        place: "query",
        fields,
    })
}

fn bearer(parts: &Parts) -> Result<&str, Reject> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        }),
        (_, _) => None,
    };
    token.ok_or_else(|| {
        Reject::new(
            Code::NotSignedIn,
            "You are not signed in: send the header Authorization: Bearer TOKEN.",
        )
    })
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Reject> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
            _ => Reject::new(Code::Malformed, "The request's body broke off."),
        })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    if let Err(error) = std::str::from_utf8(body) {
        let detail = format!("The body is not UTF-8 at byte {}.", error.valid_up_to());
        return Err(Reject::new(Code::Malformed, detail).into());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        refused_json(&field, error.inner())
    })?;
    reader.end().map_err(|error| refused_json(".", &error))?;
    Ok(value)
}

fn refused_json(field: &str, error: &serde_json::Error) -> Reject {
    let text = error.to_string();
    // Where it stands says something for broken JSON; a wrong field has its name.
    let what = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(what, _)| what);
    match error.classify() {
        serde_json::error::Category::Data if field == "." => {
            Reject::new(Code::Invalid, format!("The body: {what}."))
        }
        serde_json::error::Category::Data => {
            Reject::new(Code::Invalid, format!("The field {field}: {what}."))
        }
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => {
            Reject::new(Code::Malformed, format!("The body is no JSON: {text}."))
        }
    }
}

/// `what` goes on as "must be …" or "is …".
fn invalid(field: &str, what: &str) -> Reject {
    Reject::new(Code::Invalid, format!("The {field} {what}."))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use plenary_shared::protocol::Login;
    use rstest::rstest;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    async fn refused(error: HttpError) -> (u16, String) {
        let response = error.into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        let reject: Reject = serde_json::from_slice(&body).expect("a refusal");
        (status, reject.detail)
    }

    #[rstest]
    #[case("", None)]
    #[case("?after=7", None)]
    #[case("?before=9007199254740991&limit=1", None)]
    #[case("?other=x", None)]
    #[case(
        "?after=-1",
        Some("The after in the query must be a whole number from 0 to 9007199254740991.")
    )]
    #[case(
        "?before=9007199254740992",
        Some("The before in the query must be a whole number from 0 to")
    )]
    #[case("?after=", Some("The after in the query must be a whole number"))]
    #[case(
        "?after=1&after=2",
        Some("The after in the query is there more than once.")
    )]
    #[case(
        "?limit=many",
        Some("The limit in the query must be a whole number from 1 to 1000.")
    )]
    #[case("?limit=%ff", Some("The limit in the query"))]
    #[tokio::test]
    async fn pages(#[case] query: &str, #[case] expected: Option<&str>) {
        let read = Paging::from_request_parts(&mut parts(&format!("/{query}"), &[]), &()).await;
        match (read, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                let (status, detail) = refused(error).await;
                assert_eq!(status, 422);
                assert!(detail.starts_with(expected), "{detail}");
            }
            (read, _) => panic!("{query}: {}", read.is_ok()),
        }
    }

    #[rstest]
    #[case(&[("authorization", "Bearer abc")], Some("abc"))]
    #[case(&[("authorization", "bearer abc")], Some("abc"))]
    #[case(&[("authorization", "Basic abc")], None)]
    #[case(&[("authorization", "abc")], None)]
    #[case(&[("authorization", "Bearer a"), ("authorization", "Bearer b")], None)]
    #[case(&[("cookie", "token=abc")], None)]
    #[case(&[], None)]
    fn only_one_bearer_says_who_asks(
        #[case] headers: &[(&str, &str)],
        #[case] token: Option<&str>,
    ) {
        assert_eq!(bearer(&parts("/?token=abc", headers)).ok(), token);
    }

    #[rstest]
    #[case("01890a5d-ac96-774b-bcce-b302099a8057", true)]
    #[case("01890A5DAC96774BBCCEB302099A8057", true)]
    #[case("7", false)]
    #[case("", false)]
    #[tokio::test]
    async fn idempotency_keys_are_uuids(#[case] key: &str, #[case] good: bool) {
        let mut parts = parts("/", &[("idempotency-key", key)]);
        match IdempotencyKey::from_request_parts(&mut parts, &()).await {
            Ok(IdempotencyKey(key)) => assert!(good && key.is_some()),
            Err(error) => {
                let (status, detail) = refused(error).await;
                assert!(!good && status == 422);
                assert!(detail.contains("Idempotency-Key"), "{detail}");
            }
        }
    }

    #[rstest]
    #[case(r#"{"email":"a@b","password":"x"}"#, 200, "")]
    #[case(r#"{"email":"a@b","password":"x","more":1}"#, 200, "")]
    #[case(r#"{"email":"a@b"}"#, 422, "The body: missing field `password`.")]
    #[case(
        r#"{"email":7,"password":"x"}"#,
        422,
        "The field email: invalid type: integer `7`, expected a string."
    )]
    #[case(
        r#"{"email":"a","email":"b","password":"x"}"#,
        422,
        "The body: duplicate field `email`."
    )]
    #[case("[]", 422, "The body: ")]
    #[case("null", 422, "The body: ")]
    #[case("", 400, "The body is no JSON: EOF")]
    #[case("{", 400, "The body is no JSON: EOF")]
    #[case("{}x", 422, "The body: missing field `email`.")]
    #[case(
        r#"{"email":"a@b","password":"x"} x"#,
        400,
        "The body is no JSON: trailing characters"
    )]
    #[case("\u{1}", 400, "The body is no JSON")]
    #[tokio::test]
    async fn bodies_are_refused_by_field(
        #[case] body: &str,
        #[case] status: u16,
        #[case] expected: &str,
    ) {
        match json::<Login>(body.as_bytes()) {
            Ok(_) => assert_eq!(status, 200),
            Err(error) => {
                let (got, detail) = refused(error).await;
                assert_eq!(got, status, "{detail}");
                assert!(detail.starts_with(expected), "{detail}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_is_utf8() {
        let error = json::<Login>(b"{\"email\":\"\xff\"}")
            .err()
            .expect("a refusal");
        let expected = (400, "The body is not UTF-8 at byte 10.".to_owned());
        assert_eq!(refused(error).await, expected);
    }
}
