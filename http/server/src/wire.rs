//! What the event socket speaks, for programs: an AsyncAPI 3 document and TypeScript types, both
//! out of the server's own types.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::document;

const CLIENT: &str = "ClientMessage";
const SERVER: &str = "ServerMessage";

fn schemas() -> Map<String, Value> {
    let mut document = document::document();
    match document["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

/// The AsyncAPI document of the event socket.
pub(crate) fn asyncapi() -> Value {
    let schemas = schemas();
    let mut messages = Map::new();
    let said = [CLIENT, SERVER].map(|side| messages_of(side, &schemas, &mut messages));
    let operation = |action: &str, summary: &str, names: &[String]| {
        let place = |name: &String| json!({ "$ref": format!("#/channels/events/messages/{name}") });
        let messages: Vec<Value> = names.iter().map(place).collect();
        let channel = json!({ "$ref": "#/channels/events" });
        json!({ "action": action, "summary": summary, "channel": channel, "messages": messages })
    };
    let place = |name: &String| json!({ "$ref": format!("#/components/messages/{name}") });
    let known: Map<String, Value> =
        messages.keys().map(|name| (name.clone(), place(name))).collect();
    let kept = reachable(&schemas, &[CLIENT, SERVER]);
    let kept: Map<String, Value> =
        schemas.into_iter().filter(|(name, _)| kept.contains(name)).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tandem events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Live events, pictures and commands over one WebSocket. See \
                /manual/wire.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "defaultContentType": "application/json",
        "servers": { "node": { "host": "localhost:8080", "protocol": "ws" } },
        "channels": { "events": { "address": "/api/v1/events", "messages": known } },
        "operations": {
            "hear": operation("receive", "What a client may say", &said[0]),
            "say": operation("send", "What the server says", &said[1]),
        },
        "components": { "messages": messages, "schemas": kept },
    })
}

/// One message for each variant of a side; gives their names.
fn messages_of(
    side: &str,
    schemas: &Map<String, Value>,
    found: &mut Map<String, Value>,
) -> Vec<String> {
    let variants = schemas.get(side).and_then(|schema| schema["oneOf"].as_array());
    let mut names = Vec::new();
    for (index, variant) in variants.into_iter().flatten().enumerate() {
        let Some(kind) = type_of(variant) else { continue };
        let name = format!("{}_{kind}", if side == CLIENT { "client" } else { "server" });
        let payload = json!({ "$ref": format!("#/components/schemas/{side}/oneOf/{index}") });
        let message = json!({
            "name": kind, "summary": variant["description"], "payload": payload,
        });
        found.insert(name.clone(), message);
        names.push(name);
    }
    names
}

/// The `type` by which a variant is known.
fn type_of(variant: &Value) -> Option<&str> {
    let own = variant.pointer("/properties/type/enum/0").and_then(Value::as_str);
    let parts = || variant["allOf"].as_array()?.iter().find_map(type_of);
    own.or_else(parts)
}

/// The schemas that these lead to, themselves included.
fn reachable(schemas: &Map<String, Value>, roots: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<String> = roots.iter().map(|&root| root.to_owned()).collect();
    while let Some(name) = waiting.pop() {
        if let Some(schema) = schemas.get(&name)
            && found.insert(name)
        {
            references(schema, &mut waiting);
        }
    }
    found
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(name_of) {
                found.push(name.to_owned());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn name_of(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

/// The TypeScript types of the API and of the event socket.
pub(crate) fn typescript() -> String {
    let mut text = "// Made from the server's types; not to be edited.\n".to_owned();
    for (name, schema) in schemas() {
        if let Some(words) = schema["description"].as_str() {
            // Writing to a string does not fail.
            let _written = write!(text, "\n/** {} */", words.replace("*/", "* /"));
        }
        let _written = write!(text, "\nexport type {name} = {};\n", typed(&schema, 0));
    }
    text
}

fn typed(schema: &Value, depth: usize) -> String {
    if let Some(name) = name_of(&schema["$ref"]) {
        return name.to_owned();
    }
    for (key, sign) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema[key].as_array() {
            let parts: Vec<String> = parts.iter().map(|part| typed(part, depth)).collect();
            return format!("({})", parts.join(sign));
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(Value::to_string).collect();
        return values.join(" | ");
    }
    match &schema["type"] {
        Value::String(kind) => of_kind(kind, schema, depth),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let kinds: Vec<String> = kinds.map(|kind| of_kind(kind, schema, depth)).collect();
            kinds.join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}

fn of_kind(kind: &str, schema: &Value, depth: usize) -> String {
    match kind {
        "string" => "string".into(),
        "boolean" => "boolean".into(),
        "integer" | "number" => "number".into(),
        "null" => "null".into(),
        "array" => format!("Array<{}>", typed(&schema["items"], depth)),
        "object" => object(schema, depth),
        _ => "unknown".into(),
    }
}

fn object(schema: &Value, depth: usize) -> String {
    let Some(fields) = schema["properties"].as_object() else {
        return match &schema["additionalProperties"] {
            Value::Object(_) => {
                format!("Record<string, {}>", typed(&schema["additionalProperties"], depth))
            }
            _ => "Record<string, unknown>".into(),
        };
    };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let margin = "  ".repeat(depth + 1);
    let mut text = "{\n".to_owned();
    for (name, field) in fields {
        let sign = if required.iter().any(|it| it == name) { "" } else { "?" };
        // Writing to a string does not fail.
        let _written = writeln!(text, "{margin}{name}{sign}: {};", typed(field, depth + 1));
    }
    text + &"  ".repeat(depth) + "}"
}
