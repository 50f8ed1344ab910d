//! Session files on a real disk.

use super::*;

fn session(server: &str) -> Session {
    Session {
        server: server.parse().expect("an address"),
        token: Token::new("s3cret"),
        email: "ada@example.org".to_owned(),
        name: "Ada \u{1b}[31m \"Lovelace\"".to_owned(),
        expires_at: Timestamp::from_ms(1_700_000_000_000),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("exists").permissions().mode() & 0o777
}

/// Chooses an account from settings as text.
fn choose(server: Option<&str>, token: Option<&str>, session: Option<Session>) -> Account {
    let server = server.map(|text| text.parse().expect("an address"));
    Account::choose(server, token.map(Token::new), session)
}

#[test]
fn saved_session_is_private_and_loads_unchanged() {
    let home = tempfile::tempdir().expect("a directory");
    let file = SessionFile::within(&home.path().join("state/plenary"));
    assert!(file.load().expect("no error").session.is_none());
    for server in ["http://127.0.0.1:7400", "https://example.org"] {
        file.save(&session(server)).expect("saved");
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(&home.path().join("state/plenary")), 0o700);
        let loaded = file.load().expect("loaded");
        assert_eq!(loaded.session, Some(session(server)));
        assert!(!loaded.was_exposed);
    }
    let names = fs::read_dir(home.path().join("state/plenary")).expect("readable");
    assert_eq!(names.count(), 1, "no temporary file is left");
    file.remove().expect("removed");
    file.remove().expect("no error");
    assert!(file.load().expect("no error").session.is_none());
}

#[test]
fn exposed_file_is_made_private_and_reported() {
    let home = tempfile::tempdir().expect("a directory");
    let file = SessionFile::within(home.path());
    file.save(&session("http://localhost")).expect("saved");
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).expect("set");
    assert!(file.load().expect("loaded").was_exposed);
    assert_eq!(mode(file.path()), 0o600);
    assert!(!file.load().expect("loaded").was_exposed);
}

#[test]
fn damaged_file_is_reported_without_its_content() {
    let home = tempfile::tempdir().expect("a directory");
    let file = SessionFile::within(home.path());
    fs::write(file.path(), "token = \"s3cret").expect("written");
    let error = file.load().expect_err("damaged").to_string();
    assert!(error.contains("plenary login"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    file.save(&session("http://localhost"))
        .expect("a new sign-in replaces it");
    assert!(file.load().is_ok());
}

#[test]
fn token_is_used_only_for_its_server() {
    let here = session("http://here");
    let token = |server, token| {
        let account = choose(server, token, Some(here.clone()));
        (
            account.server.to_string(),
            account.token.map(|token| token.secret().to_owned()),
        )
    };
    assert_eq!(
        token(None, None),
        ("http://here".to_owned(), Some("s3cret".to_owned()))
    );
    assert_eq!(
        token(Some("http://here/"), None).1.as_deref(),
        Some("s3cret")
    );
    assert_eq!(
        token(Some("http://there"), None),
        ("http://there".to_owned(), None)
    );
    assert_eq!(
        token(Some("http://there"), Some("other")).1.as_deref(),
        Some("other")
    );
    let nobody = choose(None, None, None);
    assert_eq!(nobody.server, ServerUrl::default());
}

#[test]
fn debug_output_hides_the_token() {
    let shown = format!("{:?}", session("http://here"));
    assert!(!shown.contains("s3cret"), "{shown}");
}
