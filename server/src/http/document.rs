//! What the `OpenAPI` document says beside the routes: the title, and how one signs in.

use plenary_shared::domain::Reject;
use plenary_shared::ids::{MeetingId, OrderId, Seq, UserId};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi};

/// The name of the one security scheme.
const BEARER: &str = "bearer";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plenary",
        description = "Talking in scheduled meetings. Sign in with POST /login and send the token \
                       as `Authorization: Bearer TOKEN`. Every error is JSON with a stable `code` \
                       and a sentence, `detail`, that says what to do. Times are RFC 3339 in UTC. \
                       Where events are wanted as they happen, there is the WebSocket at /ws \
                       (subprotocol `plenary.v1`)."
    ),
    components(schemas(Reject)),
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

/// The document without its routes.
pub(super) fn document() -> Document {
    Plenary::openapi()
}

/// The path of an instance, and who asks.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub(super) struct InstancePath {
    /// The meeting.
    #[param(rename = "meetingID")]
    meeting: MeetingId,
    /// Which of its instances.
    #[param(rename = "orderID")]
    order: OrderId,
}

/// The page that is asked for: at most one of `after` and `before`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub(super) struct PageQuery {
    /// Only what comes after this seq, the first of it.
    after: Option<Seq>,
    /// Only what comes before this seq, the last of it.
    before: Option<Seq>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1_000, default = 100)]
    limit: Option<u32>,
}

/// Who asks, for clients that always say so.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub(super) struct YourselfQuery {
    /// Optional; only one's own is taken.
    #[param(rename = "userID")]
    user: Option<UserId>,
}

/// What is looked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub(super) struct SearchQuery {
    /// Words that begin a word of the message, or `"quoted"` for what stands anywhere in it; and
    /// `from:ada`, `in:1` or `in:1/4`, `after:2026-11-01`, `before:2026-12-01` (days of UTC).
    q: String,
    /// What the page before said under `next`.
    before: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}
