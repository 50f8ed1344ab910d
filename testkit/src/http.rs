//! Somebody who speaks HTTP to a server: every answer with its status and its JSON.

use std::sync::OnceLock;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::wait::DEADLINE;

/// A person, or nobody, before one server.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    token: Option<String>,
    client: reqwest::Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: HeaderMap,
    /// The body as JSON; a string when it is none, null when there is none.
    pub body: Value,
}

impl Answer {
    /// Fails the test unless the answer is a success; gives back its body.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{}: {}",
            self.status,
            self.body
        );
        self.body
    }

    /// The code of a "no"; empty when there is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Http {
    /// Nobody: not signed in.
    pub fn nobody(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            token: None,
            client: client(),
        }
    }

    /// Whoever the token stands for.
    pub fn with_token(base: &str, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::nobody(base)
        }
    }

    /// Signs in.
    pub async fn login(base: &str, email: &str, password: &str) -> Self {
        let login = json!({"email": email, "password": password});
        let answer = Self::nobody(base).post("/login", &login).await.ok();
        let token = answer["token"].as_str().expect("a login has a token");
        Self::with_token(base, token)
    }

    /// The token, if signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person before another server.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// POST with any bytes and a content type of one's choice.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", content_type)
            .body(body);
        self.send(request).await
    }

    /// A request to add to, before [`Http::send`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends it; a server that cannot be reached fails the test.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|e| panic!("no answer from {}: {e:?}", self.base))
    }

    /// Sends it; the server may be gone.
    pub async fn try_send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// One for the whole process: making one reads every certificate of the machine.
fn client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let make = || {
        // reqwest wants a provider of cryptography, though nothing here uses TLS. An error says
        // that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            // Every request on a connection of its own: a kept one may be to a server that was
            // killed since, or to a runtime that has ended.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS can be made")
    };
    CLIENT.get_or_init(make).clone()
}
