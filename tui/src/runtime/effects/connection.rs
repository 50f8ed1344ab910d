//! Opens and closes the connection.

use super::Effects;
use crate::net::{LinkCommand, LinkEvent, link};
use crate::server_url::ServerUrl;

impl Effects {
    /// Closes the connection because the process is about to stop, so that the server knows that it was
    /// not lost. Returns the events of the link until it is closed.
    pub(in crate::runtime) async fn suspend(&mut self) -> Vec<LinkEvent> {
        self.unsent.clear();
        match &mut self.link {
            Some(link) => link.suspend().await,
            None => Vec::new(),
        }
    }

    /// Reconnects after the process continued.
    pub(in crate::runtime) fn reconnect(&mut self) {
        self.unsent.push_back(LinkCommand::Reconnect);
    }

    pub(super) fn connect(&mut self, server: &str) {
        self.unsent.clear();
        self.link = match server.parse::<ServerUrl>() {
            Ok(server) => Some(link(server, self.wall_clock)),
            Err(error) => {
                self.fail(error.to_string());
                None
            }
        };
    }

    pub(super) fn disconnect(&mut self) {
        self.unsent.clear();
        self.link = None;
    }
}
