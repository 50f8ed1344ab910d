//! Compares every answer with the OpenAPI document of the server that sent it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Where the documentation itself and what is not part of the API is.
const UNDOCUMENTED: &[&str] = &["/docs", "/openapi.json", "/metrics", "/ws"];

/// The document of the program under test, with the validators that were needed so far.
struct Document {
    json: Value,
    validators: BTreeMap<String, Arc<Validator>>,
}

/// One for the whole process: all servers of a test run the same program.
static DOCUMENT: Mutex<Option<Document>> = Mutex::new(None);

/// Returns whether the document was read.
pub(crate) fn is_known() -> bool {
    lock().is_some()
}

/// Takes the document.
pub(crate) fn learn(json: &Value) {
    let mut json = json.clone();
    close_objects(&mut json);
    *lock() = Some(Document {
        json,
        validators: BTreeMap::new(),
    });
}

/// Returns why the answer to a request contradicts the document.
pub(crate) fn contradiction(
    method: &Method,
    path: &str,
    status: u16,
    media: &str,
    body: &Value,
) -> Option<String> {
    if UNDOCUMENTED.iter().any(|start| path.starts_with(start)) {
        return None;
    }
    let mut document = lock();
    let document = document.as_mut()?;
    let method = method.as_str().to_lowercase();
    let key = format!(
        "{method} {} {status}",
        template(&document.json, path).unwrap_or_default()
    );
    let validator = if let Some(validator) = document.validators.get(&key) {
        validator.clone()
    } else {
        let schema = match schema(&document.json, &method, path, status) {
            Ok(schema) => schema,
            Err(why) => return Some(why),
        };
        let validator = jsonschema::draft202012::new(&schema);
        let validator = Arc::new(validator.unwrap_or_else(|e| panic!("{key}: {e}")));
        document.validators.insert(key, validator.clone());
        validator
    };
    if !media.starts_with("application/json") {
        return Some(format!("the content type is '{media}'"));
    }
    let errors: Vec<String> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!errors.is_empty()).then(|| format!("{}: {body}", errors.join("; ")))
}

/// Returns the schema of an answer, with everything that it refers to.
fn schema(document: &Value, method: &str, path: &str, status: u16) -> Result<Value, String> {
    let found = template(document, path).and_then(|template| document["paths"].get(template));
    let operation = found.and_then(|item| item.get(method));
    let used = match (found, operation) {
        // Unknown paths and methods are errors like any other.
        (None, _) if status == 404 => json!({"$ref": "#/components/schemas/Reject"}),
        (Some(_), None) if status == 405 => json!({"$ref": "#/components/schemas/Reject"}),
        (_, Some(operation)) => {
            let responses = &operation["responses"];
            let Some(response) = responses.get(status.to_string()) else {
                return Err(format!("the document has no status {status}"));
            };
            response["content"]["application/json"]["schema"].clone()
        }
        (_, None) => return Err("the document has no such operation".to_owned()),
    };
    let mut schema = json!({"allOf": [used], "components": document["components"].clone()});
    schema["unevaluatedProperties"] = json!(false);
    Ok(schema)
}

/// Returns the path of the document that matches, the one with the fewest parameters first.
fn template<'a>(document: &'a Value, path: &str) -> Option<&'a str> {
    let path = path.split('?').next().unwrap_or_default();
    let matches = |template: &str| {
        let (mut left, mut right) = (template.split('/'), path.split('/'));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return true,
                (Some(part), Some(given)) if part.starts_with('{') || part == given => {}
                _ => return false,
            }
        }
    };
    let paths = document["paths"].as_object()?.keys();
    let mut found: Vec<&str> = paths
        .map(String::as_str)
        .filter(|one| matches(one))
        .collect();
    found.sort_by_key(|one| one.matches('{').count());
    found.first().copied()
}

/// Forbids properties that the document does not list, wherever a schema is used as the value of a
/// property or the item of a list. Parts of a composition stay open: the whole is closed.
fn close_objects(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, child) in map.iter_mut() {
                match (key.as_str(), &mut *child) {
                    ("properties", Value::Object(properties)) => {
                        properties.values_mut().for_each(close);
                    }
                    ("items", item) => close(item),
                    _ => {}
                }
                close_objects(child);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close_objects),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn close(schema: &mut Value) {
    if let Value::Object(map) = schema {
        close_map(map);
    }
}

fn close_map(map: &mut Map<String, Value>) {
    map.entry("unevaluatedProperties").or_insert(json!(false));
}

fn lock() -> std::sync::MutexGuard<'static, Option<Document>> {
    DOCUMENT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "paths": {"/user/{userID}": {"get": {"responses": {"200": {"content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/User"}}
            }}}}}},
            "components": {"schemas": {
                "Reject": {"type": "object", "required": ["code"], "properties": {"code": {}}},
                "Id": {"type": "object", "required": ["userID"], "properties": {"userID": {}}},
                "Role": {"type": "string", "enum": ["member", "admin"]},
                "Session": {"type": "object", "properties": {"label": {"type": "string"}}},
                "User": {"allOf": [
                    {"$ref": "#/components/schemas/Id"},
                    {"type": "object", "required": ["role"], "properties": {
                        "role": {"$ref": "#/components/schemas/Role"},
                        "age": {"type": ["integer", "null"]},
                        "sessions": {"type": "array", "items": {
                            "$ref": "#/components/schemas/Session"
                        }}
                    }}
                ]}
            }}
        })
    }

    #[test]
    fn contradictions_to_the_document_are_found() {
        learn(&document());
        let check = |path: &str, status, body: Value| {
            contradiction(&Method::GET, path, status, "application/json", &body)
        };
        let good = json!({"userID": 1, "role": "admin", "age": null, "sessions": [{"label": "x"}]});
        assert_eq!(check("/user/1", 200, good.clone()), None);
        assert_eq!(check("/nowhere", 404, json!({"code": "not_found"})), None);
        for (key, value) in [
            ("role", json!("Admin")),
            ("role", Value::Null),
            ("age", json!("x")),
            ("unknown", json!(1)),
            ("sessions", json!([{"label": "x", "unknown": 1}])),
            ("sessions", json!([{"label": 7}])),
        ] {
            let mut body = good.clone();
            body[key] = value;
            assert!(check("/user/1", 200, body.clone()).is_some(), "{body}");
        }
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove("userID");
        assert!(check("/user/1", 200, body).is_some());
        assert!(check("/user/1", 418, good.clone()).is_some());
        assert!(check("/user", 200, good.clone()).is_some());
        let html = contradiction(&Method::GET, "/user/1", 200, "text/html", &good);
        assert!(html.is_some());
    }
}
