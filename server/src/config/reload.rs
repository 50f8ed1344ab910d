//! The settings that a running server takes over from a changed file.

use std::sync::{Arc, PoisonError, RwLock};

use super::Settings;

/// The settings that can change while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloadable {
    /// The lifetime of a new session, in seconds.
    pub session_ttl_s: u32,
    /// The time that a lost connection has to return, in milliseconds.
    pub reconnect_grace_ms: i64,
}

/// The current values of the settings that can change. Cheap to clone; all clones change together.
#[derive(Clone, Debug)]
pub struct CurrentSettings(Arc<RwLock<Reloadable>>);

impl CurrentSettings {
    /// Returns settings with these values.
    pub fn new(values: Reloadable) -> Self {
        Self(Arc::new(RwLock::new(values)))
    }

    /// Returns the values.
    pub fn get(&self) -> Reloadable {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the values.
    pub fn set(&self, values: Reloadable) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = values;
    }
}

impl Settings {
    /// Returns the settings that can change while the server runs. The log filter can change too.
    pub fn reloadable(&self) -> Reloadable {
        Reloadable {
            session_ttl_s: self.session_ttl_s,
            reconnect_grace_ms: self.reconnect_grace_ms,
        }
    }

    /// Returns the keys of the settings that differ from `running` and need a restart.
    pub fn needs_restart(&self, running: &Self) -> Vec<&'static str> {
        let differences = [
            ("bind", self.bind != running.bind),
            ("metrics_bind", self.metrics_bind != running.metrics_bind),
            ("allow_origin", self.allow_origin != running.allow_origin),
            ("profiles", self.profiles != running.profiles),
            (
                "trusted_proxies",
                self.trusted_proxies != running.trusted_proxies,
            ),
            (
                "proxy_protocol",
                self.proxy_protocol != running.proxy_protocol,
            ),
            ("insecure", self.insecure != running.insecure),
            ("data", self.data != running.data),
            ("redis", self.redis != running.redis),
            ("mysql", self.mysql != running.mysql),
            ("head_timeout_ms", self.head_timeout != running.head_timeout),
            ("limits", self.limits != running.limits),
            ("log_format", self.log_format != running.log_format),
        ];
        let differs = differences.into_iter().filter(|(_, differs)| *differs);
        differs.map(|(key, _)| key).collect()
    }
}
