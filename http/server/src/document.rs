//! The OpenAPI 3.1 document, out of the table of operations.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tandem_api::event::{ClientMessage, ServerMessage};
use tandem_api::phone::{PhoneMessage, PhoneRequest};

use crate::operation::{Answer, Operation, Schemas, Shape};
use crate::problem::Code;
use crate::table;

const PROBLEM: &str = "application/problem+json";

/// The document.
pub(crate) fn document() -> Value {
    let operations = table::operations();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.as_str().to_lowercase();
        paths.entry(&operation.path).or_default().insert(method, describe(operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Telephony and contact centre. Times are RFC 3339 in UTC, spans are in \
                seconds, errors are application/problem+json (RFC 9457).",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas(operations),
            "responses": responses(),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn tags() -> Value {
    let tags = [
        ("session", "Signing in and out"),
        ("configuration", "Extensions, trunks, routes, queues, settings"),
        ("accounts", "Users and API tokens"),
        ("calls", "Live calls"),
        ("agents", "Agents at work"),
        ("queues", "Queues at work"),
        ("records", "Ended calls"),
        ("audit", "Who has changed what"),
        ("events", "The event stream"),
        ("node", "The node itself"),
    ];
    tags.map(|(name, description)| json!({ "name": name, "description": description })).into()
}

fn schemas(operations: &[Operation]) -> Map<String, Value> {
    let mut found = Schemas::new();
    for operation in operations {
        if let Some(shape) = &operation.body {
            (shape.collect)(&mut found);
        }
        if let Answer::Json(_, shape) = &operation.answer {
            (shape.collect)(&mut found);
        }
    }
    for shape in [
        Shape::of::<tandem_api::Problem>(Value::Null),
        Shape::of::<ClientMessage>(Value::Null),
        Shape::of::<ServerMessage>(Value::Null),
        Shape::of::<PhoneRequest>(Value::Null),
        Shape::of::<PhoneMessage>(Value::Null),
    ] {
        (shape.collect)(&mut found);
    }
    let value = |schema| serde_json::to_value(schema).unwrap_or_default();
    found.into_iter().map(|(name, schema)| (name, value(schema))).collect()
}

fn responses() -> Map<String, Value> {
    let mut titles: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        titles.entry(code.status().as_u16()).or_default().push(*code);
    }
    let response = |(status, codes): (u16, Vec<Code>)| {
        let words: Vec<String> =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
        let first = codes[0];
        let example = json!({
            "type": format!("/manual/problems/{}", first.as_str()), "title": first.title(),
            "status": status, "detail": first.title(), "code": first.as_str(),
            "instance": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10",
        });
        let content = json!({
            PROBLEM: { "schema": reference("Problem"), "example": example },
        });
        let body = json!({ "description": words.join("; "), "content": content });
        (format!("Problem{status}"), body)
    };
    titles.into_iter().map(response).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters(operation),
        "responses": answers(operation),
        "x-permission": operation.permission.map_or("public", |permission| permission.as_str()),
    });
    described["security"] = match operation.permission {
        None => json!([]),
        Some(_) if operation.is_open_here => json!([{ "bearer": [] }, {}]),
        Some(_) => json!([{ "bearer": [] }]),
    };
    if let Some(shape) = &operation.body {
        let media_type = match operation.method {
            axum::http::Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let content = json!({ "schema": asked(operation, shape), "example": shape.example });
        described["requestBody"] = json!({
            "required": !shape.is_optional,
            "content": { media_type: content },
        });
    }
    if operation.is_audio {
        let schema = json!({ "type": "string", "format": "binary" });
        let content = json!({ "schema": schema, "example": {} });
        described["requestBody"] = json!({ "required": true, "content": { "audio/wav": content } });
    }
    described
}

/// A merge patch may leave any field out, so it is described as an object only.
fn asked(operation: &Operation, shape: &Shape) -> Value {
    if operation.method == axum::http::Method::PATCH {
        let description =
            format!("Fields of {} that change; null: back to the default", shape.name);
        return json!({ "type": "object", "description": description });
    }
    reference(&shape.name)
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let parameter = |name: &str, place: &str, what: &str| {
        let is_required = place == "path" || name == "If-Match";
        json!({
            "name": name, "in": place, "required": is_required, "description": what,
            "schema": text,
        })
    };
    let mut parameters = Vec::new();
    for segment in operation.path.split('/') {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = name {
            parameters.push(parameter(name, "path", "What it is found by."));
        }
    }
    for known in operation.query {
        parameters.push(parameter(known.name, "query", known.what));
    }
    if operation.is_conditional {
        parameters.push(parameter("If-Match", "header", "The ETag that was read; or `*`."));
    }
    if operation.method == axum::http::Method::POST && operation.permission.is_some() {
        let what = "Makes a repeated request safe: the first reply is given again for a day.";
        parameters.push(parameter("Idempotency-Key", "header", what));
    }
    parameters
}

fn answers(operation: &Operation) -> Map<String, Value> {
    let mut answers = Map::new();
    let (status, answer) = match &operation.answer {
        Answer::Json(status, shape) => (status.as_u16(), json_answer(operation, shape)),
        Answer::Nothing => (204, json!({ "description": "Done" })),
        Answer::Text => {
            let example = "tandem_calls_active 3\n";
            (200, content("Prometheus text", "text/plain", json!({ "type": "string" }), example))
        }
        Answer::Audio => {
            let schema = json!({ "type": "string", "format": "binary" });
            (200, content("A WAV file", "audio/wav", schema, "RIFF…"))
        }
        Answer::File => {
            let schema = json!({ "type": "string", "format": "binary" });
            (
                200,
                content(
                    "A backup, for tandem restore",
                    "application/octet-stream",
                    schema,
                    "TNDF…",
                ),
            )
        }
        Answer::EventStream => (200, event_stream()),
        Answer::WebSocket => (101, web_socket()),
        Answer::Events => {
            answers.insert("200".to_owned(), event_stream());
            (101, web_socket())
        }
    };
    answers.insert(status.to_string(), answer);
    for status in problems(operation) {
        let reference = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        answers.insert(status.to_string(), reference);
    }
    answers
}

fn event_stream() -> Value {
    let example = "id: 0:42\ndata: {\"position\":\"0:42\"}\n\n";
    content("One Event a message", "text/event-stream", json!({ "type": "string" }), example)
}

fn web_socket() -> Value {
    json!({ "description": "The WebSocket is open" })
}

fn content(what: &str, media_type: &str, schema: Value, example: &str) -> Value {
    json!({
        "description": what,
        "content": { media_type: { "schema": schema, "example": example } },
    })
}

fn json_answer(operation: &Operation, shape: &Shape) -> Value {
    let one = reference(&shape.name);
    let schema = if shape.is_page {
        json!({
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
                "items": { "type": "array", "items": one },
                "next_cursor": { "type": ["string", "null"] },
            },
        })
    } else {
        one
    };
    let mut answer = json!({
        "description": "Done",
        "content": { "application/json": { "schema": schema, "example": shape.example } },
    });
    if operation.kind.is_some() && !shape.is_page {
        answer["headers"] = json!({
            "ETag": { "description": "The revision", "schema": { "type": "string" } },
        });
    }
    answer
}

fn problems(operation: &Operation) -> Vec<u16> {
    let mut problems = vec![400, 429, 500, 503];
    if operation.permission.is_some() {
        problems.extend([401, 403]);
    }
    if operation.id == "signIn" {
        problems.push(401);
    }
    if operation.path.contains('{') {
        problems.push(404);
    }
    if operation.body.is_some() || operation.is_audio {
        problems.extend([413, 415]);
    }
    if operation.method != axum::http::Method::GET && operation.permission.is_some() {
        problems.push(409);
    }
    if operation.method == axum::http::Method::POST && operation.permission.is_some() {
        problems.push(422);
    }
    if operation.is_conditional {
        problems.extend([412, 428]);
    }
    problems.sort_unstable();
    problems
}
