use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::Value;
use tandem_config::Kind;

use super::Node;
use crate::operation::{Answer, Shape};
use crate::{document, table, wire};

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_served_without_another_site() {
    let node = Node::start().await;
    let answered = node.get("/api/openapi.json").await;
    assert_eq!(answered.status, StatusCode::OK);
    assert_eq!(answered.json()["openapi"], "3.1.0");
    let page = node.get("/api/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("swagger-ui"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
}

#[test]
fn every_operation_has_a_name_a_summary_a_permission_examples_and_problems() {
    let document = document::document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
            assert!(operation["x-permission"].is_string(), "{place}");
            if let Some(body) = operation.get("requestBody") {
                let content = body["content"].as_object().unwrap().values().next().unwrap();
                assert!(content["example"].is_object(), "{place}");
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("400") && responses.contains_key("500"), "{place}");
            let good: Vec<_> = responses.keys().filter(|status| status.as_str() < "300").collect();
            // The events come over a socket or as a stream, as is asked for.
            let forms = 1 + usize::from(operation["operationId"] == "openEvents");
            assert_eq!(good.len(), forms, "{place}");
            if let Some(content) = responses[good[forms - 1]].get("content") {
                let content = content.as_object().unwrap().values().next().unwrap();
                assert!(!content["example"].is_null(), "{place}");
            }
            for parameter in path.split('/').filter(|segment| segment.starts_with('{')) {
                let name = parameter.trim_matches(['{', '}']);
                let known = operation["parameters"].as_array().unwrap();
                assert!(known.iter().any(|known| known["name"] == name), "{place}");
            }
        }
    }
    assert_eq!(ids.len(), table::operations().len());
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document::document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 30);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn holds(shape: &Shape, place: &str) {
    let examples = match shape.is_page {
        true => shape.example["items"].as_array().unwrap().clone(),
        false => vec![shape.example.clone()],
    };
    for example in examples {
        (shape.check)(&example).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

#[test]
fn every_example_has_the_shape_that_it_shows() {
    for operation in table::operations() {
        if let Some(shape) = &operation.body
            && operation.method != Method::PATCH
        {
            holds(shape, &operation.id);
        }
        if let Answer::Json(_, shape) = &operation.answer {
            holds(shape, &operation.id);
        }
    }
}

/// The outward types and the kept ones are two lists of the same fields.
#[tokio::test]
async fn the_written_examples_are_taken_and_read_back_as_shown() {
    let node = Node::start().await;
    for number in ["1000", "1001"] {
        if number != "1001" {
            node.extension(number).await;
        }
    }
    let order = [
        Kind::Extension,
        Kind::Trunk,
        Kind::RingGroup,
        Kind::GroupVoicemail,
        Kind::Ivr,
        Kind::CallFlow,
        Kind::Queue,
        Kind::InboundRoute,
        Kind::OutboundRoute,
        Kind::User,
    ];
    for kind in order {
        let made = |operation: &&crate::operation::Operation| {
            operation.kind == Some(kind) && operation.method == Method::POST
        };
        let operation = table::operations().iter().find(made).unwrap();
        let body = operation.body.as_ref().unwrap().example.clone();
        let answered = node.post(&operation.path, body).await;
        assert_eq!(answered.status, StatusCode::CREATED, "{kind:?} {}", answered.text);
        let Answer::Json(_, shown) = &operation.answer else { panic!("no body") };
        let fields = |value: &Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(fields(&answered.json()), fields(&shown.example), "{kind:?}");
    }
}

/// The documents are promises: a change of one is seen in review. Run with `TANDEM_BLESS=1` to
/// write them anew.
#[test]
fn the_document_is_the_one_that_was_promised() {
    let pretty = |value| format!("{}\n", serde_json::to_string_pretty(&value).unwrap());
    for (name, now) in [
        ("openapi.json", pretty(document::document())),
        ("asyncapi.json", pretty(wire::asyncapi())),
        ("wire.ts", wire::typescript()),
    ] {
        let path = format!("{}/../api/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("TANDEM_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let promised = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(promised == now, "http/api/{name} differs; look at the change and bless it");
    }
}

#[test]
fn the_document_of_the_socket_names_every_message_and_leads_nowhere_else() {
    let document = wire::asyncapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let names: Vec<&str> = document["components"]["messages"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| &**name)
        .collect();
    let wanted = [
        "client_command",
        "client_subscribe",
        "client_watch",
        "server_event",
        "server_hello",
        "server_problem",
        "server_reply",
        "server_snapshot",
        "server_subscribed",
    ];
    assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), wanted.into_iter().collect());
    let types = wire::typescript();
    for words in ["export type ServerMessage = ({", "snapshot", "state?: ", "Array<Agent>"] {
        assert!(types.contains(words), "{words} is not in the types");
    }
    assert!(!types.contains("unknown[]") && !types.contains("undefined"));
}
