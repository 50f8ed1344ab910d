//! Who is signed in where: the stored session, readable by its owner alone.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;
use crate::server_url::ServerUrl;

/// A login token: a secret, which `{:?}` does not tell.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// What a sign-in left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The server that gave the token; it is shown to no other.
    #[serde(with = "server_text")]
    pub server: ServerUrl,
    /// The token.
    pub token: Token,
    /// The person's address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// When the token stops being good.
    pub expires_at: Timestamp,
}

/// Which server to talk to, and as whom.
#[derive(Clone, Debug)]
pub struct Account {
    /// The server.
    pub server: ServerUrl,
    /// The token to show it, if there is one for it.
    pub token: Option<Token>,
    /// The stored session, which may belong to another server.
    pub session: Option<Session>,
}

/// The file that holds the session.
#[derive(Clone, Debug)]
pub struct SessionFile {
    path: PathBuf,
}

/// What loading found.
#[derive(Debug)]
pub struct Loaded {
    /// The session, if there is one.
    pub session: Option<Session>,
    /// Others could read the file until now; its mode has been set right.
    pub was_exposed: bool,
}

/// Why the session cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no session. What it says is not repeated: it may hold a token.
    #[error("{}: this is no stored session: sign in anew with 'plenary login'", .0.display())]
    Garbled(PathBuf),
}

impl Token {
    /// From its text; surrounding white space is none of it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// The text, for the server alone.
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
    /// The named server, or else the one that was signed in to last, or else the one on this
    /// machine; the given token, or else the stored one if it is this server's.
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
    /// In this program's state directory.
    pub fn within(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("session.toml"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it. If others could read it, they cannot any more.
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
            toml::from_str(&text).map_err(|_| SessionError::Garbled(self.path.clone()))?;
        Ok(Loaded {
            session: Some(session),
            was_exposed,
        })
    }

    /// Writes it so that a reader sees the old one or the new one, whole.
    pub fn save(&self, session: &Session) -> Result<(), SessionError> {
        let text = toml::to_string(session).map_err(|error| self.io(io::Error::other(error)))?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        private_file::make_directory(directory).map_err(|error| SessionError::Io {
            path: directory.to_owned(),
            error,
        })?;
        private_file::replace(&self.path, text.as_bytes()).map_err(|error| self.io(error))
    }

    /// Forgets it; that there was none is no error.
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

/// A server as its address.
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
