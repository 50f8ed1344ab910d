//! The process of a server: what it does when its output cannot be written, at SIGHUP, and at a port that
//! is taken.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use plenary_shared::time::Timestamp;
use plenary_testkit::{
    FixtureBuilder, Http, Server, ServerOptions, Signal, binary, instance, until, until_async,
};
use serde_json::json;
use tempfile::TempDir;

/// Runs the server, and not the other commands, through a shell that replaces its output.
fn launcher(script: &str) -> Vec<String> {
    let script = format!(
        "[ \"$2\" = serve ] || exec \"$@\"; PLENARY_LOG=trace; export PLENARY_LOG; {script}"
    );
    ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec()
}

/// Posts nothing, but needs the scheduler, the hub and HTTP: a meeting that starts now becomes active.
async fn check_that_it_works(server: &Server) {
    server.add_user("Ada", "ada@example.org", "correct horse");
    let add = ["meeting", "add", "--title", "Seminar", "--public", "--json"];
    let meeting = server.cli(&add).json()["meetingID"].to_string();
    let schedule = [
        "meeting", "schedule", &meeting, "--from", "now", "--for", "1h",
    ];
    server.cli(&schedule).ok();
    let ada = Http::login(&server.url(), "ada@example.org", "correct horse").await;
    until_async("the meeting to start", async || {
        let at = format!("/meeting/{meeting}/order/1");
        (ada.get(&at).await.body["state"] == "active").then_some(())
    })
    .await;
    let ready = ada.get("/readyz").await;
    assert_eq!(ready.status, 200, "{:?}", ready.body);
    let checks = ready.body["checks"].as_array().expect("checks").clone();
    let tasks = checks.iter().find(|check| check["name"] == "tasks");
    assert_eq!(tasks.expect("a check of the tasks")["ok"], true);
}

#[tokio::test]
async fn server_works_while_no_log_line_can_be_written() {
    let data = TempDir::new().expect("a directory");
    let server = Server::embedded_in(data.path(), &launcher("exec \"$@\" 2>/dev/full"));
    check_that_it_works(&server).await;
}

#[tokio::test]
async fn server_works_while_the_reader_of_its_log_has_ended() {
    let data = TempDir::new().expect("a directory");
    let fifo = data.path().join("log");
    // The first line is read, then the reader ends.
    let script = format!(
        "mkfifo {fifo} && (head -n 1 {fifo} >/dev/null &) && exec \"$@\" 2>{fifo}",
        fifo = fifo.display()
    );
    let server = Server::embedded_in(data.path(), &launcher(&script));
    check_that_it_works(&server).await;
}

#[tokio::test]
async fn server_works_while_nobody_reads_its_log() {
    let data = TempDir::new().expect("a directory");
    let fifo = data.path().join("log");
    // The fifo is open for reading, and fills.
    let script = format!(
        "mkfifo {fifo} && exec \"$@\" 2<>{fifo}",
        fifo = fifo.display()
    );
    let mut server = Server::embedded_in(data.path(), &launcher(&script));
    let anybody = Http::nobody(&server.url());
    for _ in 0..500 {
        assert_eq!(anybody.get("/livez").await.status, 200);
    }
    check_that_it_works(&server).await;
    assert_eq!(server.terminate(), 0);
}

#[test]
fn server_serves_when_standard_output_cannot_be_written() {
    let data = TempDir::new().expect("a directory");
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let log = data.path().join("log");
    let mut child = serve(data.path(), "127.0.0.1:0")
        .stdout(full.expect("Linux has it"))
        .stderr(fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("the server starts");
    until("the server to listen", || {
        let text = fs::read_to_string(&log).expect("it is readable");
        assert!(!text.contains("panicked"), "{text}");
        text.contains("standard output cannot be written")
            .then_some(())
    });
    assert!(child.try_wait().expect("its status").is_none());
    child.kill().expect("it runs");
    child.wait().expect("its status");
}

#[test]
fn taken_port_is_found_before_anything_is_changed() {
    let directory = TempDir::new().expect("a directory");
    let data = directory.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = serve(&data, &address).output().expect("it runs");
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{error}");
    let expected = format!("plenary-server: cannot listen on {address}: ");
    assert!(error.contains(&expected), "{error}");
    assert!(!data.exists(), "no data file was created");
}

#[tokio::test]
async fn sighup_reloads_the_settings_and_the_server_keeps_serving() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("server.toml");
    fs::write(&file, "log = 'info'\nsession_ttl_days = 1\n").expect("a file");
    let options = ServerOptions {
        args: vec![],
        env: vec![("PLENARY_CONFIG".to_owned(), file.display().to_string())],
    };
    let server = Server::embedded(options);
    let lines = |text: &str| {
        let log = server.log();
        log.iter().filter(|line| line.contains(text)).count()
    };
    let reload = |settings: &str, line: &str| {
        let before = lines(line);
        fs::write(&file, settings).expect("a file");
        server.signal(Signal::Hup);
        until("the settings to be reloaded", || {
            (lines(line) > before).then_some(())
        });
    };
    reload(
        "log = 'plenary_server=debug'\nsession_ttl_days = 2\nlog_format = 'json'\n",
        "settings reloaded",
    );
    assert_eq!(lines("session_ttl_s: 172800"), 1);
    assert_eq!(
        lines("changed settings need a restart needs_restart=\"log_format\""),
        1
    );
    reload("log = 'inof'\n", "settings not reloaded");
    // The other commands read the same file.
    fs::write(&file, "").expect("a file");
    check_that_it_works(&server).await;
}

/// The command that serves a data directory.
fn serve(data: &Path, bind: &str) -> Command {
    let mut command = Command::new(binary("plenary-server"));
    command
        .env_clear()
        .env("HOME", data)
        .stdin(Stdio::null())
        .args(["serve", "--bind", bind, "--data"])
        .arg(data);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_times_do_not_fall_when_the_clock_of_redis_is_set_back() {
    let mut fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 7_200)
        .start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.open(here).await.expect("it is public");
    let joined = ada.join(here).await.expect("it is public");
    // As if the clock had been an hour ahead.
    let ahead = joined.timestamp.plus_ms(3_600_000);
    let latest = ahead.as_ms().to_string();
    let redis = &fixture.stores.redis;
    redis.command(&["HSET", "{meeting:1:order:1}", "latest", &latest]);
    let posted = ada.post(here, "hello").await.expect("ada is in");
    assert_eq!(posted.timestamp, ahead);
    until("the record to have it", || {
        (fixture.message_rows(here).len() == 1).then_some(())
    });
    // The rebuilt live state knows it from the archive.
    fixture.stores.redis.kill9();
    fixture.stores.redis.restart();
    let ada = fixture.http("ada");
    let posted = until_async("the live state to be rebuilt", async || {
        let path = "/meeting/1/order/1/message";
        let answer = ada.post(path, &json!({"body": "again"})).await;
        (answer.status < 300).then_some(answer.body)
    })
    .await;
    let at: Timestamp = posted["timestamp"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    assert_eq!(at, ahead);
}
