//! Browsers: web pages of other origins reach nothing, and the documentation can be neither framed nor
//! misread.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use axum::http::Method;
use plenary_testkit::{Http, PASSWORD, Server, ServerOptions};
use serde_json::json;

/// The first line of the answer to a WebSocket handshake with these origins.
fn handshake(server: &Server, origins: &[&str]) -> String {
    let address = server.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).expect("the server listens");
    let origins: Vec<String> = origins
        .iter()
        .map(|one| format!("Origin: {one}\r\n"))
        .collect();
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: plenary.v1\r\n{}\r\n",
        origins.concat()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = [0; 2_048];
    let length = stream.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn websocket_opens_only_for_allowed_origins() {
    let server = Server::embedded(ServerOptions::default());
    let own = server.url();
    // A program sends no origin.
    assert!(handshake(&server, &[]).contains(" 101 "));
    for origin in [
        own.as_str(),
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1",
    ] {
        let status = handshake(&server, &[origin]);
        assert!(status.contains(" 403 "), "{origin}: {status}");
    }
    let allowed = "https://chat.example.org,http://localhost:8080";
    let args = vec!["--allow-origin".to_owned(), allowed.to_owned()];
    let server = Server::embedded(ServerOptions { args, env: vec![] });
    let good = "https://chat.example.org";
    for (origins, expected) in [
        (&[][..], " 101 "),
        (&[good], " 101 "),
        (&["http://localhost:8080"], " 101 "),
        (&["http://chat.example.org"], " 403 "),
        (&["https://chat.example.org.evil.example"], " 403 "),
        (&["https://chat.example.org:444"], " 403 "),
        (&[good, "https://evil.example"], " 403 "),
    ] {
        let status = handshake(&server, origins);
        assert!(status.contains(expected), "{origins:?}: {status}");
    }
}

#[tokio::test]
async fn bodies_must_be_declared_as_json() {
    let server = Server::embedded(ServerOptions::default());
    server.add_user("Ada", "ada@example.org", PASSWORD);
    let login = json!({"email": "ada@example.org", "password": PASSWORD}).to_string();
    let nobody = Http::nobody(&server.url());
    // What a page of another origin can send without asking the server first.
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain; application/json",
    ] {
        let body = login.clone().into_bytes();
        let refused = nobody.post_bytes("/login", media, body).await;
        let got = (refused.status, refused.code());
        assert_eq!(got, (415, "unsupported_media_type"), "{media}");
    }
    let request = nobody.request(Method::POST, "/login").body(login.clone());
    assert_eq!(nobody.send(request).await.status, 415, "no type at all");
    for media in ["application/json", "application/json; charset=UTF-8"] {
        let body = login.clone().into_bytes();
        nobody.post_bytes("/login", media, body).await.ok();
    }
    let ada = Http::login(&server.url(), "ada@example.org", PASSWORD).await;
    // Where a body may be missing, so may its type.
    let empty = ada.request(Method::POST, "/meeting/9/order/9/join");
    assert_eq!(ada.send(empty).await.status, 404);
    let typed = ada.post_bytes("/meeting/9/order/9/join", "text/plain", b"{}".to_vec());
    assert_eq!(typed.await.status, 415);
    // No answer allows another origin.
    let preflight = nobody
        .request(Method::OPTIONS, "/login")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answer = nobody.send(preflight).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn answers_cannot_be_framed_or_sniffed() {
    let server = Server::embedded(ServerOptions::default());
    let nobody = Http::nobody(&server.url());
    for (path, status, policy) in [
        ("/docs/", 200, "script-src 'self'"),
        ("/docs/swagger-ui-bundle.js", 200, "script-src 'self'"),
        ("/openapi.json", 200, "default-src 'none'"),
        ("/livez", 200, "default-src 'none'"),
        ("/me", 401, "default-src 'none'"),
        ("/nowhere", 404, "default-src 'none'"),
    ] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{path}");
        let set = answer.headers["content-security-policy"].to_str();
        let set = set.expect("ASCII");
        for part in [policy, "frame-ancestors 'none'"] {
            assert!(set.contains(part), "{path}: {set}");
        }
        assert!(!set.contains("unsafe-eval") && !set.contains('*'), "{set}");
    }
    // Swagger UI starts without an inline script, which the policy forbids.
    let page = nobody.get("/docs/").await.ok();
    let page = page.as_str().expect("a page");
    for script in page.split("<script").skip(1) {
        let head = script.split('>').next().unwrap_or_default();
        assert!(head.contains("src="), "{page}");
    }
}
