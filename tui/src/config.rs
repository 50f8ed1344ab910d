//! Settings from the command line, the environment and the configuration file, in this order.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use plenary_shared::unicode::without_bom;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::server_url::{ServerUrl, ServerUrlError};
use crate::session::Token;

/// The settings given on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--server URL`
    pub server: Option<ServerUrl>,
    /// `--config FILE`
    pub config: Option<PathBuf>,
}

/// The settings given by environment variables, read once at the start.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PLENARY_SERVER`
    pub server: Option<String>,
    /// `PLENARY_TOKEN`
    pub token: Option<Token>,
    /// `PLENARY_CONFIG`
    pub config: Option<PathBuf>,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
    /// The base directory of configuration files.
    pub config_dir: PathBuf,
    /// The base directory of state files.
    pub state_dir: PathBuf,
}

/// The effective settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub server: Option<ServerUrl>,
    /// The token of `PLENARY_TOKEN`, which overrides a stored one.
    pub token: Option<Token>,
    /// The configuration file. It may not exist.
    pub config_file: PathBuf,
    /// The directory for the session, drafts and other state.
    pub state_dir: PathBuf,
    pub no_color: bool,
    /// Whether to make URLs clickable in terminals that support it.
    pub links: bool,
}

/// Why the settings are invalid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The home directory is unknown.
    #[error("home directory unknown: set HOME")]
    NoHome,
    /// The file is unreadable.
    #[error("{}: {error}", file.display())]
    Unreadable {
        file: PathBuf,
        error: std::io::Error,
    },
    /// The file is invalid.
    #[error("{}:{line}: {message}", file.display())]
    Invalid {
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        message: String,
    },
    /// `PLENARY_SERVER` is invalid.
    #[error("PLENARY_SERVER: {0}")]
    Variable(ServerUrlError),
}

/// An error in one line of a file whose other lines are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    pub message: String,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    server: Option<Spanned<String>>,
    links: Option<bool>,
}

impl Environment {
    /// Reads the environment of the process. Ignores empty variables.
    pub fn read() -> Result<Self, ConfigError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let places = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
        Ok(Self {
            server: text("PLENARY_SERVER"),
            token: text("PLENARY_TOKEN").map(Token::new),
            config: variable("PLENARY_CONFIG").map(PathBuf::from),
            no_color: variable("NO_COLOR").is_some(),
            config_dir: places.config_dir(),
            state_dir: places.state_dir().unwrap_or_else(|| places.data_dir()),
        })
    }
}

/// Merges the settings. Options override variables, which override the file.
pub fn resolve(flags: Flags, environment: Environment) -> Result<Settings, ConfigError> {
    let named = flags.config.or(environment.config);
    let must_exist = named.is_some();
    let config_file =
        named.unwrap_or_else(|| environment.config_dir.join("plenary").join("config.toml"));
    let (from_file, links) = read(&config_file, must_exist)?;
    let from_environment = environment
        .server
        .map(|text| text.parse().map_err(ConfigError::Variable))
        .transpose()?;
    Ok(Settings {
        server: flags.server.or(from_environment).or(from_file),
        links: links.unwrap_or(true),
        token: environment.token,
        config_file,
        state_dir: environment.state_dir.join("plenary"),
        no_color: environment.no_color,
    })
}

/// Reads the server and the `links` setting from the file.
fn read(file: &Path, must_exist: bool) -> Result<(Option<ServerUrl>, Option<bool>), ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => without_bom(&text).to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok((None, None));
        }
        Err(error) => {
            return Err(ConfigError::Unreadable {
                file: file.to_owned(),
                error,
            });
        }
    };
    let invalid = |at: usize, message: String| ConfigError::Invalid {
        file: file.to_owned(),
        line: line_of(&text, at),
        message,
    };
    let config: ConfigFile = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        invalid(at, error.message().trim().replace('\n', "; "))
    })?;
    let Some(server) = config.server else {
        return Ok((None, config.links));
    };
    let at = server.span().start;
    let parsed = server.into_inner().parse::<ServerUrl>();
    parsed
        .map(|server| (Some(server), config.links))
        .map_err(|error| invalid(at, format!("server: {error}")))
}

/// Parses a TOML table into its entries in the order of the file, each with its line, from 1.
pub(crate) fn entries(text: &str) -> Result<Vec<(usize, String, DeValue<'_>)>, LineError> {
    let table = DeTable::parse(text).map_err(|error| LineError {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().trim().replace('\n', "; "),
    })?;
    let mut entries = Vec::new();
    for (name, value) in table.into_inner() {
        let line = line_of(text, name.span().start);
        entries.push((line, name.into_inner().into_owned(), value.into_inner()));
    }
    entries.sort_by_key(|(line, ..)| *line);
    Ok(entries)
}

/// Returns the line, from 1, of a byte offset in `text`.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.split(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn address(text: &str) -> ServerUrl {
        text.parse().expect("an address")
    }

    fn settings(
        flag: Option<&str>,
        variable: Option<&str>,
        file: Option<&str>,
    ) -> Result<Settings, ConfigError> {
        let home = tempfile::tempdir().expect("a directory");
        if let Some(text) = file {
            std::fs::create_dir(home.path().join("plenary")).expect("created");
            std::fs::write(home.path().join("plenary/config.toml"), text).expect("written");
        }
        let flags = Flags {
            server: flag.map(address),
            config: None,
        };
        let environment = Environment {
            server: variable.map(str::to_owned),
            config_dir: home.path().to_owned(),
            ..Environment::default()
        };
        resolve(flags, environment)
    }

    #[rstest]
    #[case(None, None, None, None)]
    #[case(None, None, Some("# nothing\n"), None)]
    #[case(None, None, Some("server = \"http://file\""), Some("http://file"))]
    #[case(
        None,
        Some("http://variable"),
        Some("server = \"http://file\""),
        Some("http://variable")
    )]
    #[case(
        Some("http://flag"),
        Some("http://variable"),
        Some("server = \"http://file\""),
        Some("http://flag")
    )]
    fn options_override_variables_and_the_file(
        #[case] flag: Option<&str>,
        #[case] variable: Option<&str>,
        #[case] file: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let settings = settings(flag, variable, file).expect("good settings");
        assert_eq!(settings.server, expected.map(address));
    }

    #[rstest]
    #[case("server = \"http://a\"\nsevrer = 1\n", "config.toml:2: ", "sevrer")]
    #[case("\n\nserver = 7\n", "config.toml:3: ", "string")]
    #[case("# a\nserver = \"talk.corp\"\n", "config.toml:2: ", "http://")]
    #[case("server = \"http://a\n", "config.toml:1: ", "invalid")]
    fn error_names_file_and_line(#[case] text: &str, #[case] place: &str, #[case] what: &str) {
        let error = settings(None, None, Some(text))
            .expect_err("invalid")
            .to_string();
        assert!(error.contains(place) && error.contains(what), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[rstest]
    #[case(None, true)]
    #[case(Some("links = false"), false)]
    #[case(Some("server = \"http://a\"\nlinks = false"), false)]
    fn links_can_be_turned_off(#[case] file: Option<&str>, #[case] expected: bool) {
        assert_eq!(
            settings(None, None, file).expect("good settings").links,
            expected
        );
    }

    #[test]
    fn invalid_variable_is_named() {
        let error = settings(None, Some("nowhere"), None)
            .expect_err("invalid")
            .to_string();
        assert!(
            error.starts_with("PLENARY_SERVER: invalid server address 'nowhere'"),
            "{error}"
        );
    }

    #[test]
    fn given_file_must_exist() {
        let flags = Flags {
            server: None,
            config: Some(PathBuf::from("/nowhere/plenary.toml")),
        };
        let error = resolve(flags, Environment::default())
            .expect_err("missing")
            .to_string();
        assert!(error.starts_with("/nowhere/plenary.toml: "), "{error}");
    }
}
