//! The stored session: the server, the user and the login token.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;
use crate::server_url::ServerUrl;

/// A login token. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// The session stored by a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The server that issued the token. No other server receives it.
    #[serde(with = "server_text")]
    pub server: ServerUrl,
    pub token: Token,
    pub email: String,
    pub name: String,
    pub expires_at: Timestamp,
}

/// The server to connect to and the token to use.
#[derive(Clone, Debug)]
pub struct Account {
    pub server: ServerUrl,
    /// The token for this server.
    pub token: Option<Token>,
    /// The stored session. It may be one of another server.
    pub session: Option<Session>,
}

/// The file with the stored session.
#[derive(Clone, Debug)]
pub struct SessionFile {
    path: PathBuf,
}

/// The result of loading a session.
#[derive(Debug)]
pub struct Loaded {
    pub session: Option<Session>,
    /// Whether other users could read the file. Its mode has been corrected.
    pub was_exposed: bool,
}

/// Why the session cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// An I/O error.
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// The file is damaged. The message omits its content, which may include a token.
    #[error("{} is damaged: sign in again with 'plenary login'", .0.display())]
    Damaged(PathBuf),
}

impl Token {
    /// Creates a token from text. Trims surrounding white space.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// Returns the token as text.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Account {
    /// Chooses the server: the given one, that of the stored session, or the default. Chooses the
    /// token: the given one, or the stored one if it belongs to the server.
    pub fn choose(
        server: Option<ServerUrl>,
        token: Option<Token>,
        session: Option<Session>,
    ) -> Self {
        let signed_in_to = session.as_ref().map(|session| session.server.clone());
        let server = server.or(signed_in_to).unwrap_or_default();
        let stored = session
            .as_ref()
            .filter(|session| session.server == server)
            .map(|session| session.token.clone());
        Self {
            server,
            token: token.or(stored),
            session,
        }
    }
}

impl SessionFile {
    /// Returns the session file in the state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("session.toml"),
        }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Loads the session. Makes the file private if other users can read it.
    pub fn load(&self) -> Result<Loaded, SessionError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Loaded {
                    session: None,
                    was_exposed: false,
                });
            }
            Err(error) => return Err(self.io(error)),
        };
        let mode = file
            .metadata()
            .map_err(|error| self.io(error))?
            .permissions()
            .mode();
        let was_exposed = mode & 0o077 != 0;
        if was_exposed {
            file.set_permissions(fs::Permissions::from_mode(0o600))
                .map_err(|error| self.io(error))?;
        }
        let text = io::read_to_string(file).map_err(|error| self.io(error))?;
        let session =
            toml::from_str(&text).map_err(|_| SessionError::Damaged(self.path.clone()))?;
        Ok(Loaded {
            session: Some(session),
            was_exposed,
        })
    }

    /// Stores the session atomically.
    pub fn save(&self, session: &Session) -> Result<(), SessionError> {
        let text = toml::to_string(session).map_err(|error| self.io(io::Error::other(error)))?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        private_file::make_directory(directory).map_err(|error| SessionError::Io {
            path: directory.to_owned(),
            error,
        })?;
        private_file::replace(&self.path, text.as_bytes()).map_err(|error| self.io(error))
    }

    /// Removes the file if it exists.
    pub fn remove(&self) -> Result<(), SessionError> {
        private_file::remove(&self.path).map_err(|error| self.io(error))
    }

    fn io(&self, error: io::Error) -> SessionError {
        SessionError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

/// Serializes a server as its URL.
mod server_text {
    use super::ServerUrl;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(server: &ServerUrl, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(server)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ServerUrl, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
