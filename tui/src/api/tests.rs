//! Requests as a real socket receives them, and the handling of responses.

use plenary_shared::domain::{Code, Instance};
use plenary_shared::protocol::MeetingsOk;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Starts a server that sends one response for each connection. Its task returns the requests.
async fn serving(responses: Vec<String>) -> (Api, JoinHandle<Vec<String>>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let peer = tokio::spawn(async move {
        let mut requests = Vec::new();
        for response in responses {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !is_whole(&request) {
                let read = stream.read(&mut chunk).await.expect("a request");
                assert!(read > 0, "the request is cut");
                request.extend_from_slice(&chunk[..read]);
            }
            requests.push(String::from_utf8(request).expect("UTF-8"));
            stream.write_all(response.as_bytes()).await.expect("sent");
        }
        requests
    });
    let server = format!("http://{address}").parse().expect("an address");
    let api = Api::new(server, Some(Token::new("s3cret"))).expect("a client");
    (api, peer)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("a number"));
    body.len() >= length
}

fn instance() -> InstanceId {
    "1/4".parse().expect("an instance")
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn no_meetings() -> String {
    response(
        "200 OK",
        r#"{"meetings":[],"now":"2026-05-06T13:00:00.000Z"}"#,
    )
}

#[tokio::test]
async fn request_carries_the_token_and_json_is_unchanged() {
    let (api, peer) = serving(vec![no_meetings()]).await;
    let response = api.meetings().await.expect("a response");
    assert_eq!(
        response.json(),
        r#"{"meetings":[],"now":"2026-05-06T13:00:00.000Z"}"#
    );
    let read: MeetingsOk = response.read().expect("meetings");
    assert_eq!(read.meetings, Vec::<Instance>::new());
    let requests = peer.await.expect("no panic");
    assert!(requests[0].starts_with("GET /meetings HTTP/1.1\r\n"));
    assert!(requests[0].contains("authorization: Bearer s3cret\r\n"));
}

#[tokio::test]
async fn post_carries_its_id_and_page_its_bounds() {
    let (api, peer) = serving(vec![no_meetings(), no_meetings()]).await;
    let cmid: Cmid = "01890a5d-ac96-774b-bcce-b302099a8057"
        .parse()
        .expect("a UUID");
    let body = MessageBody::parse("a \"b\"\n").expect("a body");
    api.post(instance(), cmid, &body, None, Ack::Ordered)
        .await
        .expect("a response");
    let page = Page {
        after: None,
        before: Some(Seq::new(9).expect("small")),
        limit: Some(5),
    };
    let user = UserId::new(7).expect("small");
    api.messages(instance(), Some(user), page)
        .await
        .expect("a response");
    let requests = peer.await.expect("no panic");
    assert!(requests[0].starts_with("POST /meeting/1/order/4/message HTTP/1.1\r\n"));
    assert!(requests[0].contains("idempotency-key: 01890a5d-ac96-774b-bcce-b302099a8057\r\n"));
    assert!(requests[0].ends_with(r#"{"body":"a \"b\"\n","ack":"ordered"}"#));
    assert!(
        requests[1].starts_with("GET /meeting/1/order/4/user/7/messages?before=9&limit=5 HTTP"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn rejections_and_foreign_responses_are_distinguished() {
    let unavailable = r#"{"code":"unavailable","detail":"b\u001b."}"#;
    let (api, _peer) = serving(vec![
        response("503 Service Unavailable\r\nretry-after: 3", unavailable),
        response("418 Teapot", r#"{"code":"new","detail":"Tea."}"#),
        response("404 Not Found", "<html"),
        response("200 OK", "{").replace("length: 1", "length: 100"),
    ])
    .await;
    let Err(ApiError::Rejected(rejection)) = api.meetings().await else {
        panic!("not rejected");
    };
    assert_eq!(rejection.known_code(), Some(Code::Unavailable));
    assert_eq!(rejection.detail, "b.");
    assert_eq!(rejection.retry_after, Some(Duration::from_secs(3)));
    assert!(ApiError::Rejected(rejection).is_temporary());

    let Err(ApiError::Rejected(rejection)) = api.meetings().await else {
        panic!("not rejected");
    };
    assert_eq!(
        (rejection.known_code(), rejection.code.as_str()),
        (None, "new")
    );

    let foreign = api.meetings().await.err().expect("an error");
    assert!(foreign.to_string().contains("(HTTP 404)"), "{foreign}");
    assert!(!foreign.is_temporary());

    let cut = api.meetings().await.err().expect("an error");
    assert!(matches!(cut, ApiError::Unreachable { .. }), "{cut}");
}

#[tokio::test]
async fn unreachable_server_is_named() {
    let (api, peer) = serving(vec![]).await;
    peer.await.expect("no panic");
    let error = api.meetings().await.err().expect("an error");
    let text = error.to_string();
    assert!(
        text.contains(&api.server().to_string()) && text.contains("refused"),
        "{text}"
    );
    assert!(error.is_temporary());
}

#[test]
fn escaped_json_is_safe_and_equal() {
    let json = "{\"title\":\"a\u{9b}2J\u{202e}b\u{e0001}日\"}\n";
    let shown = json_for_terminal(json);
    assert_eq!(shown, "{\"title\":\"a\\u009b2J\\u202eb\\udb40\\udc01日\"}");
    let (before, after): (serde_json::Value, serde_json::Value) = (
        serde_json::from_str(json).expect("JSON"),
        serde_json::from_str(&shown).expect("JSON"),
    );
    assert_eq!(before, after);
}
