//! An HTTP client. Every answer has its status and its body as JSON.

use std::sync::OnceLock;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::openapi;
use crate::wait::DEADLINE;

/// A user, or an anonymous client, of one server.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    token: Option<String>,
    client: reqwest::Client,
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON: a string if it is not JSON, null if it is empty.
    pub body: Value,
}

impl Answer {
    /// Returns the body. Fails the test unless the status is 2xx.
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

    /// The error code, or an empty string.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Http {
    /// Creates an anonymous client.
    pub fn nobody(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            token: None,
            client: client(),
        }
    }

    /// Creates a client that sends this token.
    pub fn with_token(base: &str, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::nobody(base)
        }
    }

    /// Signs in with a password.
    pub async fn login(base: &str, email: &str, password: &str) -> Self {
        let login = json!({"email": email, "password": password});
        let answer = Self::nobody(base).post("/login", &login).await.ok();
        let token = answer["token"].as_str().expect("a login has a token");
        Self::with_token(base, token)
    }

    /// The token of a signed-in client.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same user at another server.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a POST request with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a PUT request with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Sends a PATCH request with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends a POST request with any body and content type.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", content_type)
            .body(body);
        self.send(request).await
    }

    /// Builds a request, for [`Http::send`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends the request. Fails the test if the server cannot be reached.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|e| panic!("no answer from {}: {e:?}", self.base))
    }

    /// Sends the request. Returns an error if the server cannot be reached.
    pub async fn try_send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, reqwest::Error> {
        let (client, request) = request.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        let answer = Answer {
            status,
            headers,
            body,
        };
        self.check(&method, &path, &answer).await;
        Ok(answer)
    }

    /// Fails the test if the answer is not the documented one.
    async fn check(&self, method: &Method, path: &str, answer: &Answer) {
        if !openapi::is_known() {
            let document = self.client.get(format!("{}/openapi.json", self.base));
            // A server that is just stopping is not asked: a later answer is checked.
            let Ok(document) = document.send().await else {
                return;
            };
            let text = document.text().await.unwrap_or_default();
            let Ok(document) = serde_json::from_str(&text) else {
                return;
            };
            openapi::learn(&document);
        }
        let media = answer.headers.get("content-type");
        let media = media.map_or("", |value| value.to_str().unwrap_or_default());
        let found = openapi::contradiction(method, path, answer.status, media, &answer.body);
        if let Some(why) = found {
            let status = answer.status;
            panic!("{method} {path} {status} is not answered as documented: {why}");
        }
    }
}

/// One client for the whole process, because creating one reads all certificates of the machine.
fn client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let make = || {
        // reqwest needs a cryptography provider even without TLS. This fails if there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            // No connection is reused: its server may have been killed, or its runtime may have
            // ended.
            .pool_max_idle_per_host(0)
            .build()
            .expect("the client needs no TLS")
    };
    CLIENT.get_or_init(make).clone()
}
