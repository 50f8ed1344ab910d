//! HTTP client for the server: one method for each route.

use std::time::Duration;

use chrono::DateTime;
use plenary_shared::domain::User;
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::{Ack, Login, LoginOk, Message};
use plenary_shared::search::Place;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use reqwest::{Method, RequestBuilder, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::net::tls_config;
use crate::server_url::ServerUrl;
use crate::session::Token;

mod error;
mod response;

pub use error::{ApiError, Rejection};
pub use response::{Response, json_for_terminal};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout for a request with its response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Size limit of a response body: 1,000 messages of maximum length with JSON escapes.
const RESPONSE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A client for one server and one login token.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    server: ServerUrl,
    token: Option<Token>,
}

/// The bounds of a page of messages or events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    pub after: Option<Seq>,
    pub before: Option<Seq>,
    pub limit: Option<usize>,
}

/// A page of the messages of all participants or of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Messages {
    /// The messages, ascending.
    #[serde(alias = "user_messages")]
    pub messages: Vec<Message>,
    /// Whether there are more messages in the requested direction.
    pub more: bool,
}

/// The response to requests that create an event.
#[derive(Clone, Debug, Deserialize)]
pub struct Receipt {
    /// A message for the user.
    pub message: String,
    pub seq: Seq,
    /// The time of the event, by the clock of the store.
    pub timestamp: Timestamp,
    /// Whether the event is in the durable store, if the request asked for that.
    #[serde(default)]
    pub durable: Option<bool>,
}

impl Api {
    /// Creates a client. It connects with the first request.
    ///
    /// The process must have a rustls crypto provider installed.
    pub fn new(server: ServerUrl, token: Option<Token>) -> Result<Self, ApiError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("plenary/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(RESPONSE_TIMEOUT)
            // A redirect must not receive the token.
            .redirect(reqwest::redirect::Policy::none())
            // The WebSocket does not support proxies either.
            .no_proxy();
        if server.is_tls() {
            let config = tls_config().map_err(|error| ApiError::Unreachable {
                server: server.to_string(),
                why: error.to_string(),
            })?;
            builder = builder.tls_backend_preconfigured(config);
        }
        let http = builder
            .build()
            .map_err(|error| ApiError::unreachable(&server, &error))?;
        Ok(Self {
            http,
            server,
            token,
        })
    }

    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Signs in.
    pub async fn login(&self, login: &Login) -> Result<LoginOk, ApiError> {
        let request = self.request(Method::POST, "/login").json(login);
        self.send(request).await?.read()
    }

    /// Revokes the token.
    pub async fn logout(&self) -> Result<Response, ApiError> {
        self.send(self.request(Method::POST, "/logout")).await
    }

    /// Returns the user of the token.
    pub async fn me(&self) -> Result<User, ApiError> {
        self.get("/me").await?.read()
    }

    /// Lists meetings: [`plenary_shared::protocol::MeetingsOk`].
    pub async fn meetings(&self) -> Result<Response, ApiError> {
        self.get("/meetings").await
    }

    /// Lists join times: [`plenary_shared::protocol::JoinTimesOk`].
    pub async fn join_times(&self) -> Result<Response, ApiError> {
        self.get("/active-meetings-participants-join-logs").await
    }

    /// Joins an instance: [`Receipt`].
    pub async fn join(&self, instance: InstanceId) -> Result<Response, ApiError> {
        self.send(self.request(Method::POST, &path(instance, "/join")))
            .await
    }

    /// Leaves an instance: [`Receipt`].
    pub async fn leave(&self, instance: InstanceId) -> Result<Response, ApiError> {
        self.send(self.request(Method::POST, &path(instance, "/leave")))
            .await
    }

    /// Lists participants: [`plenary_shared::protocol::ParticipantsOk`].
    pub async fn participants(&self, instance: InstanceId) -> Result<Response, ApiError> {
        self.get(&path(instance, "/participants")).await
    }

    /// Returns a page of the messages of all participants or of `user`: [`Messages`].
    pub async fn messages(
        &self,
        instance: InstanceId,
        user: Option<UserId>,
        page: Page,
    ) -> Result<Response, ApiError> {
        let path = match user {
            None => path(instance, "/messages"),
            Some(user) => path(instance, &format!("/user/{user}/messages")),
        };
        self.query(&path, &page).await
    }

    /// Posts a message: [`Receipt`]. Repeating the request with the same `cmid` has no effect.
    pub async fn post(
        &self,
        instance: InstanceId,
        cmid: Cmid,
        body: &MessageBody,
        reply_to: Option<Seq>,
        ack: Ack,
    ) -> Result<Response, ApiError> {
        #[derive(Serialize)]
        struct Post<'a> {
            body: &'a MessageBody,
            #[serde(rename = "replyTo", skip_serializing_if = "Option::is_none")]
            reply_to: Option<Seq>,
            ack: Ack,
        }
        let request = self.idempotent(Method::POST, &path(instance, "/message"), cmid);
        let post = Post {
            body,
            reply_to,
            ack,
        };
        self.send(request.json(&post)).await
    }

    /// Edits a message of the user: [`Receipt`]. Repeating it with the same `cmid` has no effect.
    pub async fn edit(
        &self,
        instance: InstanceId,
        target: Seq,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Result<Response, ApiError> {
        let path = path(instance, &format!("/message/{target}"));
        let request = self.idempotent(Method::PUT, &path, cmid);
        self.send(request.json(&json!({ "body": body }))).await
    }

    /// Deletes a message of the user: [`Receipt`]. Repeating it with the same `cmid` has no effect.
    pub async fn delete(
        &self,
        instance: InstanceId,
        target: Seq,
        cmid: Cmid,
    ) -> Result<Response, ApiError> {
        let path = path(instance, &format!("/message/{target}"));
        self.send(self.idempotent(Method::DELETE, &path, cmid))
            .await
    }

    /// Moderates a running instance through the route `action`: [`Receipt`]. Repeating it with the
    /// same `cmid` has no effect.
    pub async fn moderate(
        &self,
        instance: InstanceId,
        action: &str,
        cmid: Cmid,
        body: &Value,
    ) -> Result<Response, ApiError> {
        let path = path(instance, &format!("/{action}"));
        self.send(self.idempotent(Method::POST, &path, cmid).json(body))
            .await
    }

    /// Explains whether a user may join an instance: [`plenary_shared::protocol::Verdict`].
    pub async fn explain(&self, instance: InstanceId, email: &str) -> Result<Response, ApiError> {
        self.query(&path(instance, "/explain"), &[("email", email)])
            .await
    }

    /// Returns a page of all users, sorted by id.
    pub async fn users(&self, after: Option<UserId>) -> Result<Response, ApiError> {
        self.query("/users", &[("after", after)]).await
    }

    /// Returns a page of users with at most one user: the one with this email.
    pub async fn user_by_email(&self, email: &str) -> Result<Response, ApiError> {
        self.query("/users", &[("email", email)]).await
    }

    /// Sends a request to a route below `/user/USER`.
    pub async fn user_request(
        &self,
        method: Method,
        user: UserId,
        route: &str,
        body: &Value,
    ) -> Result<Response, ApiError> {
        self.json_request(method, &format!("/user/{user}/{route}"), body)
            .await
    }

    /// Sends a request with a JSON body, or without one if `body` is null.
    pub async fn json_request(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Response, ApiError> {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// Returns a page of search results: [`plenary_shared::protocol::SearchOk`].
    pub async fn search(
        &self,
        query: &str,
        before: Option<Place>,
        limit: Option<usize>,
    ) -> Result<Response, ApiError> {
        let fields = [
            ("q", Some(query.to_owned())),
            ("before", before.map(|place| place.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.query("/search", &fields).await
    }

    /// Returns an instance: [`plenary_shared::domain::Instance`].
    pub async fn instance(&self, instance: InstanceId) -> Result<Response, ApiError> {
        self.get(&path(instance, "")).await
    }

    /// Returns a page of the event log: [`plenary_shared::protocol::EventsOk`].
    pub async fn events(&self, instance: InstanceId, page: Page) -> Result<Response, ApiError> {
        self.query(&path(instance, "/events"), &page).await
    }

    async fn get(&self, path: &str) -> Result<Response, ApiError> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a GET request with query parameters. Parameters that are `None` are left out.
    async fn query(&self, path: &str, query: &impl Serialize) -> Result<Response, ApiError> {
        self.send(self.request(Method::GET, path).query(query))
            .await
    }

    fn idempotent(&self, method: Method, path: &str, cmid: Cmid) -> RequestBuilder {
        self.request(method, path)
            .header("idempotency-key", cmid.to_string())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.server.http(path));
        match &self.token {
            Some(token) => request.bearer_auth(token.secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let unreachable = |error| ApiError::unreachable(&self.server, &error);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let unexpected = || ApiError::UnexpectedResponse {
            server: self.server.to_string(),
            status: status.as_u16(),
        };
        let retry_after_s = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let date = response
            .headers()
            .get(header::DATE)
            .and_then(|value| parse_date(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
                return Err(unexpected());
            }
            body.extend_from_slice(&chunk);
        }
        let json = String::from_utf8(body).map_err(|_| unexpected())?;
        if status.is_success() {
            return Ok(Response::new(json, &self.server, date));
        }
        match Rejection::parse(status, &json, retry_after_s) {
            Some(rejection) => Err(ApiError::Rejected(rejection)),
            None => Err(unexpected()),
        }
    }
}

/// Parses the header `Date`.
fn parse_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.to_utc().into())
}

/// Returns the path of a route below an instance.
fn path(instance: InstanceId, route: &str) -> String {
    format!(
        "/meeting/{}/order/{}{route}",
        instance.meeting, instance.order
    )
}

#[cfg(test)]
mod tests;
