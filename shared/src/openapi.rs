//! Schemas of the types whose form on the wire the derive of utoipa does not see.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::limits::{ID_MAX, MESSAGE_BODY_BYTES_MAX};

/// A text that is one of these words.
pub(crate) fn words(words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    text().enum_values(Some(words)).into()
}

/// A whole number from 0 to [`ID_MAX`].
pub(crate) fn id() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0_u64))
        .maximum(Some(ID_MAX))
        .into()
}

/// The body of a message, which is empty if the message is deleted.
pub(crate) fn message_body() -> RefOr<Schema> {
    let description = "At most 4,096 bytes of UTF-8; empty if the message is deleted";
    text()
        .max_length(Some(MESSAGE_BODY_BYTES_MAX))
        .description(Some(description))
        .into()
}

/// A time.
pub(crate) fn timestamp() -> RefOr<Schema> {
    text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339 in UTC, with milliseconds"))
        .into()
}

fn text() -> ObjectBuilder {
    Object::builder().schema_type(Type::String)
}
