//! The body of a successful response.

use std::fmt::Write as _;

use plenary_shared::text::{is_control, is_invisible};
use plenary_shared::time::Timestamp;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::server_url::ServerUrl;

/// The JSON body of a successful response.
#[derive(Clone)]
pub struct Response {
    json: String,
    server: String,
    date: Option<Timestamp>,
}

impl Response {
    pub(super) fn new(json: String, server: &ServerUrl, date: Option<Timestamp>) -> Self {
        Self {
            json,
            server: server.to_string(),
            date,
        }
    }

    /// Returns the time of the response by the server's clock, to the second.
    pub const fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// Returns the JSON as the server sent it, safe to print.
    pub fn json(&self) -> String {
        json_for_terminal(&self.json)
    }

    /// Parses the JSON.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_str(&self.json).map_err(|_| ApiError::UnexpectedResponse {
            server: self.server.clone(),
            status: 200,
        })
    }
}

/// Escapes control and reordering characters of JSON as `\u`, so that it is safe to print.
pub fn json_for_terminal(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.trim_end().chars() {
        if matches!(c, '\n' | '\t') || !(is_control(c) || is_invisible(c)) {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}
