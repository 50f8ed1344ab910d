//! The server by HTTP: one method for each route, JSON as it was given, and every "no".

use std::fmt;
use std::time::Duration;

use plenary_shared::domain::{Code, Reject, User};
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::{Ack, Login, LoginOk, Message};
use plenary_shared::search::Place;
use plenary_shared::text::{MessageBody, for_terminal};
use plenary_shared::time::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::net::tls_config;
use crate::server_url::ServerUrl;
use crate::session::Token;

/// From the first packet to an open connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// From the first packet to the answer's last byte.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer that is read, in bytes: 1,000 messages of full length with their escapes.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// One server, and as whom it is asked.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    server: ServerUrl,
    token: Option<Token>,
}

/// What the server answered when it said yes: JSON.
#[derive(Clone)]
pub struct Answer {
    json: String,
}

/// Why there is no such answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// Nothing answers, or the connection broke: whether it was done is not known.
    Unreachable {
        /// Which server.
        server: String,
        /// What the system says.
        why: String,
    },
    /// Something answers that is no Plenary server.
    Foreign {
        /// Which server.
        server: String,
        /// What it answered.
        status: u16,
    },
    /// The server said no.
    Refused(Refusal),
}

/// A "no" of the server. Unlike a [`Reject`], it may have a code that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code's word.
    pub code: String,
    /// What to do about it.
    pub detail: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// Which page of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Only what comes after this seq.
    pub after: Option<Seq>,
    /// Only what comes before this seq.
    pub before: Option<Seq>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// A page of messages, of everybody's or of one person's.
#[derive(Clone, Debug, Deserialize)]
pub struct Messages {
    /// Ascending.
    #[serde(alias = "user_messages")]
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

/// The answer to join, leave and post.
#[derive(Clone, Debug, Deserialize)]
pub struct DoneOk {
    /// A sentence.
    pub message: String,
    /// The event's number.
    pub seq: Seq,
    /// When, by the store's clock.
    pub timestamp: Timestamp,
    /// Whether the archive has it, where that was asked.
    #[serde(default)]
    pub durable: Option<bool>,
}

impl Api {
    /// Connects when it is first asked something. The process must have a crypto provider.
    pub fn new(server: ServerUrl, token: Option<Token>) -> Result<Self, ApiError> {
        let unreachable = |why: String| ApiError::Unreachable {
            server: server.to_string(),
            why,
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("plenary/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // A token goes to its server, not to where that server points.
            .redirect(reqwest::redirect::Policy::none())
            // As the WebSocket, which knows no proxy either.
            .no_proxy();
        if server.is_tls() {
            let config = tls_config().map_err(|error| unreachable(error.to_string()))?;
            builder = builder.tls_backend_preconfigured(config);
        }
        let http = builder
            .build()
            .map_err(|error| unreachable(cause_of(&error)))?;
        Ok(Self {
            http,
            server,
            token,
        })
    }

    /// Which server it asks.
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Signs in.
    pub async fn login(&self, login: &Login) -> Result<LoginOk, ApiError> {
        let request = self.request(Method::POST, "/login").json(login);
        self.send(request).await?.read(self)
    }

    /// Makes the token worthless.
    pub async fn logout(&self) -> Result<Answer, ApiError> {
        self.send(self.request(Method::POST, "/logout")).await
    }

    /// Who one is.
    pub async fn me(&self) -> Result<User, ApiError> {
        self.get("/me").await?.read(self)
    }

    /// [`plenary_shared::protocol::MeetingsOk`]
    pub async fn meetings(&self) -> Result<Answer, ApiError> {
        self.get("/meetings").await
    }

    /// [`plenary_shared::protocol::JoinTimesOk`]
    pub async fn join_times(&self) -> Result<Answer, ApiError> {
        self.get("/active-meetings-participants-join-logs").await
    }

    /// Becomes a participant: [`DoneOk`].
    pub async fn join(&self, instance: InstanceId) -> Result<Answer, ApiError> {
        let path = within(instance, "join");
        self.send(self.request(Method::POST, &path)).await
    }

    /// Is a participant no longer: [`DoneOk`].
    pub async fn leave(&self, instance: InstanceId) -> Result<Answer, ApiError> {
        let path = within(instance, "leave");
        self.send(self.request(Method::POST, &path)).await
    }

    /// [`plenary_shared::protocol::PeopleOk`]
    pub async fn people(&self, instance: InstanceId) -> Result<Answer, ApiError> {
        self.get(&within(instance, "participants")).await
    }

    /// A page of everybody's messages, or of one person's: [`Messages`].
    pub async fn messages(
        &self,
        instance: InstanceId,
        user: Option<UserId>,
        page: Page,
    ) -> Result<Answer, ApiError> {
        let path = match user {
            None => within(instance, "messages"),
            Some(user) => within(instance, &format!("user/{user}/messages")),
        };
        self.get(&(path + &page.query())).await
    }

    /// Says something; the same `cmid` never makes a second message. [`DoneOk`]
    pub async fn post(
        &self,
        instance: InstanceId,
        cmid: Cmid,
        body: &MessageBody,
        reply_to: Option<Seq>,
        ack: Ack,
    ) -> Result<Answer, ApiError> {
        #[derive(serde::Serialize)]
        struct Said<'a> {
            body: &'a MessageBody,
            #[serde(rename = "replyTo", skip_serializing_if = "Option::is_none")]
            reply_to: Option<Seq>,
            ack: Ack,
        }
        let request = self
            .request(Method::POST, &within(instance, "message"))
            .header("idempotency-key", cmid.to_string())
            .json(&Said {
                body,
                reply_to,
                ack,
            });
        self.send(request).await
    }

    /// Changes a message of one's own; the same `cmid` never makes a second change. [`DoneOk`]
    pub async fn edit(
        &self,
        instance: InstanceId,
        target: Seq,
        cmid: Cmid,
        body: &MessageBody,
    ) -> Result<Answer, ApiError> {
        let request = self
            .request(Method::PUT, &within(instance, &format!("message/{target}")))
            .header("idempotency-key", cmid.to_string())
            .json(&serde_json::json!({ "body": body }));
        self.send(request).await
    }

    /// Deletes a message of one's own. [`DoneOk`]
    pub async fn delete(
        &self,
        instance: InstanceId,
        target: Seq,
        cmid: Cmid,
    ) -> Result<Answer, ApiError> {
        let path = within(instance, &format!("message/{target}"));
        let request = self
            .request(Method::DELETE, &path)
            .header("idempotency-key", cmid.to_string());
        self.send(request).await
    }

    /// Steers a running instance by one of the admins' routes; the same `cmid` never does it twice.
    /// [`DoneOk`]
    pub async fn moderate(
        &self,
        instance: InstanceId,
        measure: &str,
        cmid: Cmid,
        body: &serde_json::Value,
    ) -> Result<Answer, ApiError> {
        let request = self
            .request(Method::POST, &within(instance, measure))
            .header("idempotency-key", cmid.to_string())
            .json(body);
        self.send(request).await
    }

    /// Why somebody may join an instance, or may not.
    pub async fn explain(&self, instance: InstanceId, email: &str) -> Result<Answer, ApiError> {
        let path = within(instance, "explain");
        self.get(&format!("{path}?email={}", encoded(email))).await
    }

    /// A page of everybody, behind this one.
    pub async fn users(&self, after: Option<UserId>) -> Result<Answer, ApiError> {
        let query = after.map(|after| format!("?after={after}"));
        self.get(&format!("/users{}", query.unwrap_or_default()))
            .await
    }

    /// The same, of whoever has this address.
    pub async fn user_with(&self, email: &str) -> Result<Answer, ApiError> {
        self.get(&format!("/users?email={}", encoded(email))).await
    }

    /// What concerns somebody, as admins ask it.
    pub async fn of_user(
        &self,
        method: Method,
        user: UserId,
        what: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, ApiError> {
        self.change(method, &format!("/user/{user}/{what}"), body)
            .await
    }

    /// One of the admins' routes that change something; without a body where it is null.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, ApiError> {
        let request = self.request(method, path);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        self.send(request).await
    }

    /// A page of what is found. [`plenary_shared::protocol::SearchOk`]
    pub async fn search(
        &self,
        query: &str,
        before: Option<Place>,
        limit: Option<usize>,
    ) -> Result<Answer, ApiError> {
        let mut fields = vec![("q", query.to_owned())];
        fields.extend(before.map(|place| ("before", place.to_string())));
        fields.extend(limit.map(|limit| ("limit", limit.to_string())));
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let query: Vec<String> = fields.collect();
        self.get(&format!("/search?{}", query.join("&"))).await
    }

    /// [`plenary_shared::domain::Instance`]
    pub async fn instance(&self, instance: InstanceId) -> Result<Answer, ApiError> {
        let path = within(instance, "");
        self.get(path.trim_end_matches('/')).await
    }

    /// A page of the log. [`plenary_shared::protocol::EventsOk`]
    pub async fn events(&self, instance: InstanceId, page: Page) -> Result<Answer, ApiError> {
        self.get(&(within(instance, "events") + &page.query()))
            .await
    }

    async fn get(&self, path: &str) -> Result<Answer, ApiError> {
        self.send(self.request(Method::GET, path)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.server.http(path));
        match &self.token {
            Some(token) => request.bearer_auth(token.secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ApiError> {
        let unreachable = |error: &reqwest::Error| ApiError::Unreachable {
            server: self.server.to_string(),
            why: cause_of(error),
        };
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let retry_after_s = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unreachable(&error))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.foreign(status));
            }
            body.extend_from_slice(&chunk);
        }
        let json = String::from_utf8(body).map_err(|_| self.foreign(status))?;
        if status.is_success() {
            return Ok(Answer { json });
        }
        match Refusal::read(status, &json, retry_after_s) {
            Some(refusal) => Err(ApiError::Refused(refusal)),
            None => Err(self.foreign(status)),
        }
    }

    fn foreign(&self, status: StatusCode) -> ApiError {
        ApiError::Foreign {
            server: self.server.to_string(),
            status: status.as_u16(),
        }
    }
}

impl Answer {
    /// The JSON as the server gave it, but that no character of it moves a terminal.
    pub fn json(&self) -> String {
        json_for_terminal(&self.json)
    }

    /// What it says, to a client that expects a `T`.
    pub fn read<T: DeserializeOwned>(&self, api: &Api) -> Result<T, ApiError> {
        serde_json::from_str(&self.json).map_err(|_| api.foreign(StatusCode::OK))
    }
}

impl Refusal {
    /// From the answer's body; `None` if it is no refusal of ours.
    fn read(status: StatusCode, json: &str, retry_after_s: Option<u64>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            code: String,
            detail: String,
            retry_after_s: Option<u64>,
        }
        let body: Body = serde_json::from_str(json).ok()?;
        Some(Self {
            status: status.as_u16(),
            code: for_terminal(&body.code),
            detail: for_terminal(&body.detail),
            retry_after: retry_after_s
                .or(body.retry_after_s)
                .map(Duration::from_secs),
        })
    }

    /// The code, if this program knows it.
    pub fn known(&self) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == self.code)
    }
}

impl Page {
    fn query(self) -> String {
        let after = self.after.map(|seq| format!("after={seq}"));
        let before = self.before.map(|seq| format!("before={seq}"));
        let limit = self.limit.map(|limit| format!("limit={limit}"));
        let parts: Vec<String> = [after, before, limit].into_iter().flatten().collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }
}

impl ApiError {
    /// Whether the same request may succeed a little later, and is safe to repeat if it can be.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Foreign { status, .. } => matches!(status, 502..=504),
            Self::Refused(refusal) => matches!(refusal.status, 429 | 503),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { server, why } => {
                write!(f, "The server {server} cannot be reached: {why}.")
            }
            Self::Foreign { server, status } => write!(
                f,
                "What answers at {server} (HTTP {status}) is no Plenary server that this program \
                 understands."
            ),
            Self::Refused(refusal) => f.write_str(&refusal.detail),
        }
    }
}

impl std::error::Error for ApiError {}

impl From<Reject> for Refusal {
    /// What the server would have answered, found out without asking it.
    fn from(reject: Reject) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            code: reject.code.to_string(),
            detail: reject.detail,
            retry_after: reject
                .retry_after_s
                .map(|seconds| Duration::from_secs(seconds.into())),
        }
    }
}

/// A value of a query, in which every sign that could mean something else is escaped.
fn encoded(value: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn within(instance: InstanceId, what: &str) -> String {
    format!(
        "/meeting/{}/order/{}/{what}",
        instance.meeting, instance.order
    )
}

/// JSON in which control and reordering characters stand as `\u` escapes, which mean the same.
pub fn json_for_terminal(json: &str) -> String {
    use fmt::Write as _;
    use plenary_shared::text::{is_control, is_invisible};
    let mut shown = String::with_capacity(json.len());
    for c in json.trim_end().chars() {
        if matches!(c, '\n' | '\t') || !(is_control(c) || is_invisible(c)) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}

/// The innermost reason: what the outer ones say is known to whoever asked.
fn cause_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    for_terminal(&innermost.to_string())
}

#[cfg(test)]
mod tests;
