//! Requests about the user's own account: by HTTP, as `plenary password` and `plenary sessions`.

use plenary_shared::ids::UserId;
use plenary_shared::protocol::{PasswordBody, SessionListed, SessionsOk};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, ApiError};
use crate::effect::AccountRequest;
use crate::msg::AppEvent;
use crate::server_url::ServerUrl;
use crate::session::Token;

/// Sends a request. Returns its result for the screen.
pub(super) async fn run(
    server: &str,
    token: Token,
    user: UserId,
    request: AccountRequest,
) -> AppEvent {
    let api = server
        .parse::<ServerUrl>()
        .map_err(|error| error.to_string())
        .and_then(|server| Api::new(server, Some(token)).map_err(said));
    match request {
        AccountRequest::ChangePassword { old, new } => {
            let body = json!(PasswordBody {
                password: Some(new),
                old_password: Some(old),
            });
            AppEvent::PasswordChanged(match api {
                Ok(api) => send(&api, Method::PUT, user, "password", &body).await,
                Err(why) => Err(why),
            })
        }
        AccountRequest::ListSessions => AppEvent::Sessions(sessions(api, user, None).await),
        AccountRequest::EndSession(id) => {
            let route = format!("sessions/{id}");
            AppEvent::Sessions(sessions(api, user, Some(&route)).await)
        }
        AccountRequest::EndOtherSessions => {
            AppEvent::Sessions(sessions(api, user, Some("sessions")).await)
        }
    }
}

/// Ends the sessions that `end` names, if any. Returns the rest.
async fn sessions(
    api: Result<Api, String>,
    user: UserId,
    end: Option<&str>,
) -> Result<Vec<SessionListed>, String> {
    let api = api?;
    if let Some(route) = end {
        send(&api, Method::DELETE, user, route, &Value::Null).await?;
    }
    let listed = api
        .user_request(Method::GET, user, "sessions", &Value::Null)
        .await;
    let listed = listed.and_then(|response| response.read::<SessionsOk>());
    listed.map(|listed| listed.sessions).map_err(said)
}

async fn send(
    api: &Api,
    method: Method,
    user: UserId,
    route: &str,
    body: &Value,
) -> Result<(), String> {
    let sent = api.user_request(method, user, route, body).await;
    sent.map(drop).map_err(said)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
fn said(error: ApiError) -> String {
    error.to_string()
}
