//! What handlers read from headers and bodies: the caller, idempotency keys, JSON and text.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::IntoResponse;
use plenary_shared::domain::{Code, Reject, User};
use plenary_shared::ids::{Cmid, UserId};
use plenary_shared::limits::IMPORT_BYTES_MAX;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::HttpState;
use super::error::HttpError;
use super::params::{CallerQuery, Path, Query, UserPath};
use crate::ctx::Caller;
use crate::json::{self, Origin};
use crate::peer::Peer;
use crate::rules::{self, importing};
use crate::service::{account, user_admin};

/// The header that makes a repeated request harmless.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Time that a request body may take, in seconds: the largest at 100 KB/s.
const BODY_S_MAX: u64 = 10;

/// The caller, identified by the login token. A `userID` in the query must be their own.
pub(super) struct SignedIn(pub(super) Caller);

impl FromRequestParts<HttpState> for SignedIn {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let peer = parts.extensions.get::<Peer>().copied();
        let caller = account::authenticate_from(&state.ctx, bearer(parts)?, peer).await?;
        let Query(CallerQuery { user }) = Query::from_request_parts(parts, state).await?;
        rules::yourself(&caller.user, user)?;
        Ok(Self(caller))
    }
}

/// The caller, who must be an admin.
pub(super) struct Admin(pub(super) Caller);

impl FromRequestParts<HttpState> for Admin {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let SignedIn(caller) = SignedIn::from_request_parts(parts, state).await?;
        rules::admin(&caller.user)?;
        Ok(Self(caller))
    }
}

/// The user in the path: the caller, or anybody if the caller is an admin.
pub(super) struct OwnOrManagedUser {
    pub(super) caller: Caller,
    pub(super) user: User,
}

impl OwnOrManagedUser {
    /// Returns whether users act on their own account.
    pub(super) fn is_own(&self) -> bool {
        self.user.id == self.caller.user.id
    }
}

impl FromRequestParts<HttpState> for OwnOrManagedUser {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let SignedIn(caller) = SignedIn::from_request_parts(parts, state).await?;
        let Path(UserPath { user }) = Path::from_request_parts(parts, state).await?;
        let user = if user == caller.user.id {
            caller.user.clone()
        } else {
            rules::admin(&caller.user)?;
            user_admin::by_id(&state.ctx, user).await?
        };
        Ok(Self { caller, user })
    }
}

/// The user in the path, and the admin who manages them.
pub(super) struct ManagedUser {
    pub(super) by: Option<UserId>,
    pub(super) user: User,
}

impl FromRequestParts<HttpState> for ManagedUser {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, HttpError> {
        let Admin(caller) = Admin::from_request_parts(parts, state).await?;
        let Path(UserPath { user }) = Path::from_request_parts(parts, state).await?;
        Ok(Self {
            by: Some(caller.user.id),
            user: user_admin::by_id(&state.ctx, user).await?,
        })
    }
}

/// The request's id from the header `Idempotency-Key`, if there is one.
pub(super) struct IdempotencyKey(pub(super) Option<Cmid>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, HttpError> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        match value.to_str().ok().and_then(|text| text.parse().ok()) {
            Some(cmid) => Ok(Self(Some(cmid))),
            None => Err(Reject::new(
                Code::Invalid,
                "The header Idempotency-Key must be a UUID such as \
                 01890a5d-ac96-774b-bcce-b302099a8057.",
            )
            .into()),
        }
    }
}

/// A JSON body. Other content types are refused, because web pages of other origins may send those.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let is_json = is_json(request.headers());
        let body = read_body(request, state).await?;
        if !is_json {
            return Err(Code::UnsupportedMediaType.into());
        }
        Ok(Self(json::parse(&body, Origin::HttpBody)?))
    }
}

/// A JSON body that may be missing.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let is_json = is_json(request.headers());
        let body = read_body(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Code::UnsupportedMediaType.into());
        }
        Ok(Self(json::parse(&body, Origin::HttpBody)?))
    }
}

/// A list of email addresses as the body. The content type is ignored.
pub(super) struct ListBody(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for ListBody {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        let body = read_body(request, state).await.map_err(|reject| {
            if reject.code == Code::TooLarge {
                let detail = format!(
                    "The list is larger than {IMPORT_BYTES_MAX} bytes. Import it in parts."
                );
                return Reject::new(Code::TooLarge, detail);
            }
            reject
        })?;
        Ok(Self(importing::decode(&body)?.to_owned()))
    }
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
            "You are not signed in. Send the header Authorization: Bearer TOKEN.",
        )
    })
}

/// Returns whether the content type is `application/json`.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let media = value.to_str().unwrap_or_default().split(';').next();
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Reject> {
    let reading = Bytes::from_request(request, state);
    let Ok(read) = timeout(Duration::from_secs(BODY_S_MAX), reading).await else {
        let detail = format!("The request body is not complete after {BODY_S_MAX} seconds.");
        return Err(Reject::new(Code::Malformed, detail));
    };
    read.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
        _ => Reject::new(Code::Malformed, "The request body is incomplete."),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use rstest::rstest;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[rstest]
    #[case(&[("authorization", "Bearer abc")], Some("abc"))]
    #[case(&[("authorization", "bearer abc")], Some("abc"))]
    #[case(&[("authorization", "Basic abc")], None)]
    #[case(&[("authorization", "abc")], None)]
    #[case(&[("authorization", "Bearer a"), ("authorization", "Bearer b")], None)]
    #[case(&[("cookie", "token=abc")], None)]
    #[case(&[], None)]
    fn token_comes_from_a_single_bearer_header(
        #[case] headers: &[(&str, &str)],
        #[case] token: Option<&str>,
    ) {
        assert_eq!(bearer(&parts("/?token=abc", headers)).ok(), token);
    }

    #[rstest]
    #[case(&["application/json"], true)]
    #[case(&["Application/JSON; charset=utf-8"], true)]
    #[case(&["text/plain"], false)]
    #[case(&["text/plain; application/json"], false)]
    #[case(&["application/x-www-form-urlencoded"], false)]
    #[case(&["application/json", "text/plain"], false)]
    #[case(&[], false)]
    fn only_json_is_json(#[case] types: &[&str], #[case] good: bool) {
        let headers: Vec<_> = types.iter().map(|one| ("content-type", *one)).collect();
        assert_eq!(is_json(&parts("/", &headers).headers), good);
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
                assert!(!good && error.into_response().status().as_u16() == 422);
            }
        }
    }
}
