//! Logs contain no message, token, password or address at any level.

use plenary_shared::protocol::Verb;
use plenary_testkit::{
    FixtureBuilder, Http, PASSWORD, RedisOptions, ServerOptions, instance, until,
};
use serde_json::json;

#[tokio::test]
async fn logs_contain_no_messages_and_no_credentials() {
    let options = ServerOptions {
        args: vec!["--log".into(), "trace".into()],
        env: vec![],
    };
    let fixture = FixtureBuilder::with(RedisOptions::default(), options)
        .people(1, &["ada"])
        .meeting(1, "Long", Some(&["ada"]))
        .instance(1, 1, -60, 3_600)
        .start();
    let here = instance(1, 1);
    fixture.set_password("ada");
    let http = Http::login(&fixture.server.url(), "ada@example.org", PASSWORD).await;
    let token = http.token().expect("it is signed in").to_owned();
    let mut ws = plenary_testkit::Ws::hello(&fixture.server.url(), &token).await;
    ws.open(here).await.expect("ada is invited");
    ws.join(here).await.expect("ada is invited");
    ws.post(here, "words by socket").await.expect("ada is in");
    let body = json!({"body": "words by HTTP"});
    http.post("/meeting/1/order/1/message", &body).await.ok();
    ws.ask(Verb::Participants(here)).await.expect("ada may");
    let wrong = json!({"email": "ada@example.org", "password": "wrong password"});
    let nobody = Http::nobody(&fixture.server.url());
    assert_eq!(nobody.post("/login", &wrong).await.status, 401);
    until("the record to have it", || {
        (fixture.message_rows(here).len() == 2).then_some(())
    });
    let log = fixture.server.log();
    let mut shown = vec![];
    for secret in [
        token.as_str(),
        PASSWORD,
        "wrong password",
        "ada@example.org",
        "words by socket",
        "words by HTTP",
    ] {
        let line = log.iter().find(|line| line.contains(secret));
        shown.extend(line.map(|line| format!("{secret}: {line}")));
    }
    assert!(shown.is_empty(), "{shown:#?}");
}
