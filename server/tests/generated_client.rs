//! A client that a generator made from the OpenAPI document signs in, joins, posts and reads errors.

use std::path::{Path, PathBuf};
use std::process::Command;

use plenary_testkit::{Http, PASSWORD, Server, ServerOptions};

/// The generator, from the Python Package Index.
const GENERATOR: &str = "openapi-python-client==0.29.1";

/// Routes that the generator cannot express: a union that is a part of an object, and a body that is not
/// JSON.
const BEYOND_THE_GENERATOR: &[&str] = &["/events ", "/audience/import "];

/// Runs a command to completion. Returns its standard output.
#[track_caller]
fn run(command: &mut Command) -> String {
    let done = command.output();
    let done = done.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (stdout, stderr) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Installs the generator below the build directory, once. Needs Python 3.10 or newer, and the network.
fn generator() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi-python-client");
    let complete = place.join("complete");
    if std::fs::read_to_string(&complete).ok().as_deref() != Some(GENERATOR) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&place));
        let mut install = Command::new(place.join("bin/pip"));
        run(install.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            GENERATOR,
        ]));
        std::fs::write(&complete, GENERATOR).expect("the build directory is writable");
    }
    place
}

#[tokio::test]
async fn generated_client_signs_in_joins_posts_and_reads_errors() {
    let generator = generator();
    let server = Server::embedded(ServerOptions::default());
    server.add_user("Ada", "ada@example.org", PASSWORD);
    server
        .cli(&["meeting", "add", "--title", "Seminar", "--public"])
        .ok();
    server
        .cli(&["meeting", "schedule", "1", "--from", "now", "--for", "1h"])
        .ok();
    let ada = Http::login(&server.url(), "ada@example.org", PASSWORD).await;
    plenary_testkit::until_async("the meeting to be active", async || {
        let active = ada.get("/active-meetings").await.ok();
        (!active["active_meetings"].as_array()?.is_empty()).then_some(())
    })
    .await;

    let work = tempfile::tempdir().expect("a directory");
    let document = work.path().join("openapi.json");
    let openapi = ada.get("/openapi.json").await.ok();
    std::fs::write(&document, openapi.to_string()).expect("it is writable");
    let client = work.path().join("plenary_client");
    // It is not formatted.
    let config = work.path().join("config.yml");
    std::fs::write(&config, "post_hooks: []\n").expect("it is writable");
    let generated = run(Command::new(generator.join("bin/openapi-python-client"))
        .args(["generate", "--meta", "none", "--path"])
        .arg(&document)
        .arg("--output-path")
        .arg(&client)
        .arg("--config")
        .arg(&config)
        .current_dir(work.path()));
    // A warning names a route that is left out.
    for warning in generated.lines().filter(|line| line.starts_with("WARNING")) {
        let is_known = BEYOND_THE_GENERATOR
            .iter()
            .any(|route| warning.contains(route));
        assert!(is_known, "{generated}");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated_client/check.py");
    let said = run(Command::new(generator.join("bin/python"))
        .arg(script)
        .arg(work.path())
        .args([&server.url(), "ada@example.org", PASSWORD]));
    assert!(said.contains("the generated client works"), "{said}");
}
