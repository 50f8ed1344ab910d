//! The OpenAPI document: title, introduction and authentication, and what all routes have in common.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use plenary_shared::domain::{Code, EndChange, Reject, Subject};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, OpenApi as Document, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{Modify, OpenApi};

use super::error::status;

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

/// Bodies that may be missing.
const OPTIONAL_BODIES: &[&str] = &["CallerBody", "CancelBody", "ReadOnlyBody", "ReasonBody"];

/// Adds what the annotations of the routes cannot say: unique operation ids, bodies that may be missing,
/// and every error.
pub(super) fn complete(document: &mut Document) {
    let errors = errors();
    for path in document.paths.paths.values_mut() {
        if let (Some(get), Some(_)) = (&mut path.get, &path.post)
            && get.request_body.take().is_some()
        {
            // The same handler under both methods.
            get.operation_id = get.operation_id.as_ref().map(|id| format!("{id}_by_get"));
        }
        for operation in operations(path) {
            let tag = operation.tags.iter().flatten().next();
            let tag = tag.cloned().unwrap_or_default();
            operation.operation_id = operation
                .operation_id
                .as_ref()
                .map(|id| format!("{tag}_{id}"));
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                let is_optional = body.content.values().any(|content| {
                    let text = serde_json::to_string(content).unwrap_or_default();
                    OPTIONAL_BODIES
                        .iter()
                        .any(|name| text.contains(&format!("/{name}\"")))
                });
                let required = if is_optional {
                    Required::False
                } else {
                    Required::True
                };
                body.required = Some(required);
            }
            for (status, error) in &errors {
                let responses = &mut operation.responses.responses;
                responses
                    .entry(status.as_u16().to_string())
                    .or_insert_with(|| RefOr::T(error.clone()));
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// Returns the response for each status of an error, with its codes.
fn errors() -> BTreeMap<StatusCode, Response> {
    let mut codes: BTreeMap<StatusCode, Vec<&'static str>> = BTreeMap::new();
    for code in Code::ALL {
        codes.entry(status(*code)).or_default().push(code.as_str());
    }
    // A path that does not support the method.
    let malformed = Code::Malformed.as_str();
    codes.insert(StatusCode::METHOD_NOT_ALLOWED, vec![malformed]);
    codes
        .into_iter()
        .map(|(status, codes)| (status, error(&codes)))
        .collect()
}

fn error(codes: &[&'static str]) -> Response {
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(codes.iter().copied()));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Reject"))
        .item(ObjectBuilder::new().property("code", code));
    ResponseBuilder::new()
        .description(codes.join(", "))
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .build()
}
