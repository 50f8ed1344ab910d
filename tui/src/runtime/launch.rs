//! The options of a start, and the model built from them and from stored files.

use std::path::PathBuf;
use std::time::SystemTime;

use super::{Desktop, now};
use crate::cache::{Cache, CacheFile};
use crate::clock::Zone;
use crate::drafts::DraftsFile;
use crate::keymap::Keymap;
use crate::model::{Model, Start};
use crate::notify_file::NotifyFile;
use crate::sent::SentFile;
use crate::session::{Account, Session, SessionFile};
use crate::theme::{Theme, Tone};

/// The options of the screen and of line mode.
#[derive(Clone, Debug)]
pub struct LaunchOptions {
    /// The server and the login token.
    pub account: Account,
    /// The file of the stored session.
    pub session_file: SessionFile,
    /// The directory for drafts, unsent messages, history and cache.
    pub state_dir: PathBuf,
    /// The theme before `theme.toml` changes it.
    pub theme: Theme,
    /// The directory of `keys.toml` and `theme.toml`.
    pub config_dir: PathBuf,
    pub desktop: Desktop,
    /// Whether to make links clickable with OSC 8.
    pub has_links: bool,
    /// The command line of the external editor.
    pub editor: String,
    /// The wall clock, `SystemTime::now`.
    pub wall_clock: fn() -> SystemTime,
    /// The generator of message ids, `Uuid::now_v7`.
    pub new_id: fn() -> uuid::Uuid,
}

impl LaunchOptions {
    /// Returns the initial model with the cached screens.
    pub(super) fn model_with_cache(&self, size: (u16, u16)) -> Model {
        let server = self.account.server.to_string();
        let file = CacheFile::within(&self.state_dir);
        let cache = self.token_email().map(|email| file.load(&server, email));
        match cache.unwrap_or(Ok(None)) {
            Ok(cache) => self.model(size, cache),
            Err(why) => {
                let mut model = self.model(size, None);
                model.tell(Tone::Bad, why);
                model
            }
        }
    }

    /// Returns the initial model.
    pub(super) fn model(&self, size: (u16, u16), kept: Option<Cache>) -> Model {
        let account = &self.account;
        let server = account.server.to_string();
        Model::new(Start {
            email: self
                .session()
                .map(|session| session.email.clone())
                .unwrap_or_default(),
            person: self.token_email().map(str::to_owned),
            token: account.token.clone(),
            kept,
            drafts: DraftsFile::within(&self.state_dir).load(&server),
            history: SentFile::within(&self.state_dir).load(&server),
            notify_levels: NotifyFile::within(&self.state_dir).load(&server),
            server,
            theme: self.theme,
            keymap: Keymap::default(),
            zone: Zone::Local,
            size,
            now: now(self.wall_clock),
        })
    }

    /// Returns the stored session of this server.
    fn session(&self) -> Option<&Session> {
        let session = self.account.session.as_ref();
        session.filter(|session| session.server == self.account.server)
    }

    /// Returns the email of the token's user if the token comes from the stored session. A token given
    /// by the environment may belong to another user.
    fn token_email(&self) -> Option<&str> {
        let session = self.session()?;
        (self.account.token.as_ref() == Some(&session.token)).then_some(&session.email)
    }
}
