//! The order of the sources, and the errors.

use std::time::Duration;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use rstest::rstest;
use tempfile::TempDir;

use super::*;
use crate::rate_limits::Quota;

/// Returns the settings of these sources, or the text of the error.
fn settings(
    flags: &[(&str, &str)],
    variables: &[(&'static str, &str)],
    file: Option<&str>,
) -> Result<Settings, String> {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("server.toml");
    if let Some(text) = file {
        fs::write(&path, text).expect("a file");
    }
    let variables: BTreeMap<&str, OsString> = variables
        .iter()
        .map(|(name, value)| (*name, value.into()))
        .collect();
    let environment = Environment {
        variable: &|name| variables.get(name).cloned(),
        variable_names: &|| variables.keys().map(ToString::to_string).collect(),
        config_default: Some(path),
        data_default: None,
    };
    let mut given = Flags::default();
    let mut serve = ServeFlags::default();
    for (flag, value) in flags {
        let value = (*value).to_owned();
        match *flag {
            "bind" => serve.bind = Some(value),
            "metrics-bind" => serve.metrics_bind = Some(value),
            "allow-origin" => serve.allow_origin = Some(value),
            "profiles" => serve.profiles = Some(value),
            "insecure" => serve.insecure = true,
            "trusted-proxies" => serve.trusted_proxies = Some(value),
            "proxy-protocol" => serve.proxy_protocol = true,
            "redis" => given.redis = Some(value),
            "log" => given.log = Some(value),
            "log-format" => given.log_format = Some(value),
            "session-ttl-days" => given.session_ttl_days = Some(value),
            "config" => given.config = Some(value.into()),
            other => panic!("no flag {other}"),
        }
    }
    RawSettings::collect(&given, &serve, &environment)
        .and_then(|raw| {
            let settings = Settings::resolve(&raw)?;
            settings.check_bind(&raw)?;
            settings.check_proxies(&raw)?;
            Ok(settings)
        })
        .map_err(|error| {
            error
                .to_string()
                .replace(&directory.path().display().to_string(), "DIR")
        })
}

#[test]
fn all_settings_have_defaults() {
    let settings = settings(&[], &[], None).expect("the defaults");
    assert_eq!(
        settings,
        Settings {
            bind: "127.0.0.1:7400".parse().expect("an address"),
            metrics_bind: None,
            allow_origin: vec![],
            profiles: ProfileVisibility::Admins,
            insecure: false,
            trusted_proxies: TrustedProxies::default(),
            proxy_protocol: false,
            data: None,
            redis: None,
            mysql: None,
            session_ttl_s: 30 * 86_400,
            reconnect_grace_ms: 20_000,
            head_timeout: Duration::from_secs(20),
            limits: WriteLimits {
                post: Some(Quota {
                    burst: 60,
                    per_minute: 120,
                }),
                join: Some(Quota {
                    burst: 20,
                    per_minute: 20,
                }),
                account: Some(Quota {
                    burst: 200,
                    per_minute: 300,
                }),
                disk_reserve_bytes: 256 * 1024 * 1024,
            },
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    );
    assert!(settings.redis_url().is_err() && settings.mysql_url().is_err());
    assert!(settings.is_embedded() && settings.data_directory().is_err());
}

#[test]
fn flag_overrides_variable_overrides_file() {
    let file = "redis = 'redis://file'\nmysql = 'mysql://file'\nlog = 'warn'\n";
    let variables = [
        ("PLENARY_REDIS", "redis://variable"),
        ("PLENARY_MYSQL", "mysql://variable"),
        ("PLENARY_LOG", ""),
    ];
    let settings =
        settings(&[("redis", "redis://flag")], &variables, Some(file)).expect("settings");
    assert_eq!(settings.redis.as_deref(), Some("redis://flag"));
    assert_eq!(settings.mysql.as_deref(), Some("mysql://variable"));
    assert_eq!(settings.log, "warn");
}

#[test]
fn every_key_of_the_file_is_read() {
    let file = r#"
        bind = "0.0.0.0:80"
        insecure = true
        trusted_proxies = "127.0.0.1, 10.0.0.0/8"
        proxy_protocol = true
        data = "/var/lib/plenary"
        redis = "redis+unix:///r.sock"
        mysql = "mysql://root@localhost/plenary?socket=/m.sock"
        log = "plenary_server=debug"
        log_format = "json"
        session_ttl_days = 1
        reconnect_grace_s = 5
        metrics_bind = "localhost:9400"
        allow_origin = "https://Chat.example.org, http://localhost:8080"
        profiles = "members"
        rate_limits = true
        post_burst = 1
        posts_per_minute = 2
        account_burst = 3
        account_per_minute = 4
        disk_reserve_mib = 0
    "#;
    let settings = settings(&[], &[], Some(file)).expect("settings");
    assert_eq!(
        settings,
        Settings {
            bind: "0.0.0.0:80".parse().expect("an address"),
            metrics_bind: Some("127.0.0.1:9400".parse().expect("an address")),
            allow_origin: vec![
                "https://chat.example.org".to_owned(),
                "http://localhost:8080".to_owned(),
            ],
            profiles: ProfileVisibility::Members,
            insecure: true,
            trusted_proxies: TrustedProxies::parse("127.0.0.1/32,10.0.0.0/8").expect("networks"),
            proxy_protocol: true,
            data: Some("/var/lib/plenary".into()),
            redis: Some("redis+unix:///r.sock".to_owned()),
            mysql: Some("mysql://root@localhost/plenary?socket=/m.sock".to_owned()),
            session_ttl_s: 86_400,
            reconnect_grace_ms: 5_000,
            head_timeout: Duration::from_secs(20),
            limits: WriteLimits {
                post: Some(Quota {
                    burst: 1,
                    per_minute: 2,
                }),
                join: Some(Quota {
                    burst: 20,
                    per_minute: 20,
                }),
                account: Some(Quota {
                    burst: 3,
                    per_minute: 4,
                }),
                disk_reserve_bytes: 0,
            },
            log: "plenary_server=debug".to_owned(),
            log_format: LogFormat::Json,
        }
    );
}

#[test]
fn rate_limits_can_be_turned_off() {
    let settings = settings(&[], &[("PLENARY_RATE_LIMITS", "false")], None).expect("settings");
    let WriteLimits {
        post,
        join,
        account,
        disk_reserve_bytes,
    } = settings.limits;
    assert_eq!((post, join, account), (None, None, None));
    assert!(
        disk_reserve_bytes > 0,
        "the reserve is a setting of its own"
    );
}

type Pairs<'a> = &'a [(&'static str, &'a str)];

#[rstest]
#[case(&[("bind", "7400")], &[], None, "--bind: bind '7400' must be ADDRESS:PORT, such as 127.0.0.1:7400")]
#[case(&[], &[("PLENARY_BIND", "x:y")], None, "PLENARY_BIND: bind 'x:y' must be")]
#[case(&[], &[], Some("\n\nbind = 'x'"), "DIR/server.toml:3: bind 'x' must be")]
#[case(&[], &[("PLENARY_INSECURE", "perhaps")], None, "PLENARY_INSECURE: insecure 'perhaps' must be true or false")]
#[case(&[("session-ttl-days", "0")], &[], None, "--session-ttl-days: session_ttl_days '0' must be a whole number from 1 to 3650")]
#[case(&[], &[], Some("reconnect_grace_s = -1"), "DIR/server.toml:1: reconnect_grace_s '-1' must be a whole number from 1 to 3600")]
#[case(&[], &[("PLENARY_POST_BURST", "0")], None, "PLENARY_POST_BURST: post_burst '0' must be a whole number from 1 to 100000")]
#[case(&[], &[], Some("posts_per_minute = 60001"), "DIR/server.toml:1: posts_per_minute '60001' must be a whole number from 1 to 60000")]
#[case(&[("log", "a=b=c")], &[], None, "--log: log is not a log filter")]
#[case(&[], &[("PLENARY_LOG", "inof")], None, "PLENARY_LOG: log is not a log filter: 'inof' is not a level")]
#[case(&[], &[], Some("data = '~/plen'"), "DIR/server.toml:1: data '~/plen' must be a full path")]
#[case(&[], &[("PLENARY_DATA", "~ada/plen")], None, "PLENARY_DATA: data '~ada/plen' must be a full path")]
#[case(&[("redis", "redis+unix://~/r.sock")], &[], None, "--redis: redis must have the full path of a socket")]
#[case(&[], &[("PLENARY_MYSQL", "mysql://u@localhost/db?socket=~/m.sock")], None, "PLENARY_MYSQL: mysql must have the full path")]
#[case(&[("log-format", "xml")], &[], None, "--log-format: log_format 'xml' must be text or json")]
#[case(&[("redis", "http://h")], &[], None, "--redis: redis must be a URL that starts with redis:// or rediss://")]
#[case(&[], &[("PLENARY_MYSQL", "mysql:")], None, "PLENARY_MYSQL: mysql must be a URL that starts with mysql://")]
#[case(&[], &[], Some("log = 'info'\nlistne = 1\n"), "DIR/server.toml:2: unknown field `listne`, expected one of `bind`, `insecure`, `data`, `redis`")]
#[case(&[("trusted-proxies", "proxy.example.org")], &[], None, "--trusted-proxies: trusted_proxies 'proxy.example.org' must be an address or a network, such as 127.0.0.1 or 10.0.0.0/8")]
#[case(&[("proxy-protocol", "")], &[], None, "--proxy-protocol: proxy_protocol needs trusted_proxies")]
#[case(&[], &[("PLENARY_PROXY_PROTOCOL", "1")], None, "PLENARY_PROXY_PROTOCOL: proxy_protocol needs")]
#[case(&[], &[], Some("insecure = 'no'"), "DIR/server.toml:1: invalid type: string")]
#[case(&[], &[], Some("log = \n"), "DIR/server.toml:1: ")]
#[case(&[("config", "/nowhere/at.toml")], &[], None, "/nowhere/at.toml: cannot be read")]
#[case(&[], &[("PLENARY_CONFIG", "/nowhere/at.toml")], None, "/nowhere/at.toml: cannot be read")]
#[case(&[], &[("PLENARY_BIND", "0.0.0.0:7400")], None, "PLENARY_BIND: other machines can reach 0.0.0.0:7400")]
#[case(&[("bind", "[::]:7400")], &[], None, "set --insecure")]
#[case(&[("metrics-bind", "0.0.0.0:9400")], &[], None, "--metrics-bind: other machines can reach 0.0.0.0:9400")]
#[case(&[], &[], Some("metrics_bind = '[::]:9400'"), "DIR/server.toml:1: other machines can reach [::]:9400")]
#[case(&[("allow-origin", "chat.example.org")], &[], None, "--allow-origin: allow_origin 'chat.example.org' must be an origin such as https://")]
#[case(&[("allow-origin", "https://a.example/chat")], &[], None, "must be an origin")]
#[case(&[("allow-origin", "*")], &[], None, "must be an origin")]
#[case(&[("profiles", "all")], &[], None, "--profiles: profiles 'all' is not one of: admins, members")]
fn errors_name_their_source(
    #[case] flags: &[(&str, &str)],
    #[case] variables: Pairs<'_>,
    #[case] file: Option<&str>,
    #[case] expected: &str,
) {
    let error = settings(flags, variables, file).expect_err("an error");
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case("127.0.0.1:0")]
#[case("127.9.9.9:80")]
#[case("[::1]:7400")]
#[case("localhost:7400")]
fn plain_http_is_allowed_on_loopback(#[case] bind: &str) {
    settings(&[("bind", bind)], &[], None).expect("settings");
    settings(&[("bind", "0.0.0.0:80"), ("insecure", "")], &[], None).expect("settings");
    settings(&[("metrics-bind", bind)], &[], None).expect("settings");
    settings(
        &[("metrics-bind", "0.0.0.0:80"), ("insecure", "")],
        &[],
        None,
    )
    .expect("settings");
}

#[rstest]
#[case("mysql://u:secret@h:3306/db", "mysql://u:…@h:3306/db")]
#[case("mysql://u:sec@ret@h/db?password=secret", "mysql://u:…@h/db?…")]
#[case("redis://:secret@h", "redis://:…@h")]
#[case("redis+unix:///r.sock", "redis+unix:///r.sock")]
#[case("redis+unix:///r.sock?pass=secret", "redis+unix:///r.sock?…")]
#[case("mysql://u@h", "mysql://u@h")]
#[case("u:secret@h", "…")]
fn passwords_in_urls_are_hidden(#[case] url: &str, #[case] shown: &str) {
    assert_eq!(redacted(url), shown);
    let settings = Settings {
        redis: Some(url.to_owned()),
        mysql: Some(url.to_owned()),
        ..settings(&[], &[], None).expect("the defaults")
    };
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("ret@"),
        "{shown}"
    );
}

#[test]
fn file_errors_hide_passwords() {
    let file = "mysql = 'mysql://u:secret@h/db' x";
    let error = settings(&[], &[], Some(file)).expect_err("an error");
    assert!(!error.contains("secret"), "{error}");
    let error = settings(&[("redis", "u:secret@h")], &[], None).expect_err("an error");
    assert!(!error.contains("secret"), "{error}");
}

/// Returns the findings of these sources, each as `GRADE ABOUT: SAYS`.
fn findings(
    flags: &Flags,
    variables: &[(&'static str, &str)],
    file: &str,
    mode: u32,
) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("server.toml");
    fs::write(&path, file).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    let variables: BTreeMap<&str, OsString> = variables
        .iter()
        .map(|(name, value)| (*name, value.into()))
        .collect();
    let environment = Environment {
        variable: &|name| variables.get(name).cloned(),
        variable_names: &|| variables.keys().map(ToString::to_string).collect(),
        config_default: Some(path),
        data_default: None,
    };
    let raw = RawSettings::collect(flags, &ServeFlags::default(), &environment);
    let raw = raw.expect("settings");
    let settings = Settings::resolve(&raw).expect("settings");
    let found = settings.findings(&raw, &environment).into_iter();
    found
        .map(|one| format!("{:?} {}: {}", one.grade, one.about, one.says))
        .collect()
}

const STORES: &str = "redis = 'redis://h'\nmysql = 'mysql://u@h/db'\n";
const WITH_PASSWORD: &str = "redis = 'redis://h'\nmysql = 'mysql://u:secret@h/db'\n";

#[rstest]
#[case(&[], STORES, 0o644, "")]
#[case(&[], WITH_PASSWORD, 0o600, "")]
#[case(&[], WITH_PASSWORD, 0o644, "Bad settings: mysql: other users can read the password in")]
#[case(&[], WITH_PASSWORD, 0o640, "Bad settings: mysql: other users can read the password in")]
#[case(&[("PLENARY_DATA", "/d")], STORES, 0o600, "Warning settings: data: PLENARY_DATA is ignored")]
#[case(&[("PLENARY_DATA", "/d")], "", 0o600, "")]
#[case(&[("PLENARY_BNID", "x")], STORES, 0o600, "Warning settings: variables: PLENARY_BNID is ignored")]
#[case(&[("PLENARY_TOKEN", "x"), ("PLENARY_LOG", "warn")], STORES, 0o600, "")]
fn settings_without_effect_and_shown_secrets_are_found(
    #[case] variables: Pairs<'_>,
    #[case] file: &str,
    #[case] mode: u32,
    #[case] expected: &str,
) {
    let found = findings(&Flags::default(), variables, file, mode);
    match expected {
        "" => assert!(found.is_empty(), "{found:?}"),
        expected => {
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(expected), "{found:?}");
            assert!(!found[0].contains("secret"), "{found:?}");
        }
    }
}

#[test]
fn password_on_the_command_line_is_found() {
    let flags = Flags {
        mysql: Some("mysql://u:secret@h/db".to_owned()),
        ..Flags::default()
    };
    let found = findings(&flags, &[], STORES, 0o600);
    let expected =
        "Warning settings: mysql: the list of processes shows the password in --mysql to all users";
    assert_eq!(found, [expected]);
}

#[test]
fn reload_changes_what_can_change_and_names_the_rest() {
    let running = settings(&[], &[], Some("session_ttl_days = 1")).expect("settings");
    let file = "session_ttl_days = 2\nreconnect_grace_s = 5\nlog = 'debug'\nbind = '127.0.0.1:1'\n";
    let read = settings(&[], &[], Some(file)).expect("settings");
    assert_eq!(
        read.reloadable(),
        Reloadable {
            session_ttl_s: 2 * 86_400,
            reconnect_grace_ms: 5_000,
        }
    );
    assert_eq!(read.needs_restart(&running), ["bind"]);
    assert!(running.needs_restart(&running).is_empty());
}
