//! The OpenAPI document without its routes: title, introduction and authentication.

use plenary_shared::domain::{EndChange, Reject, Subject};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The name of the security scheme.
const BEARER: &str = "bearer";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plenary",
        description = "Scheduled meetings held in text. Sign in with POST /login and send the token \
                       as `Authorization: Bearer TOKEN`. Every error is a JSON object with a stable \
                       `code` and a sentence, `detail`, that says what to do. Times are RFC 3339 in \
                       UTC. To receive events as they happen, connect to the WebSocket at /ws \
                       (subprotocol `plenary.v1`)."
    ),
    // The moderation types are default type parameters, which utoipa does not collect.
    components(schemas(Reject, EndChange, Subject)),
    modifiers(&Bearer)
)]
struct Plenary;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        document
            .components
            .get_or_insert_default()
            .add_security_scheme(
                BEARER,
                SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
            );
    }
}

/// Returns the document without its routes.
pub(super) fn document() -> Document {
    Plenary::openapi()
}
