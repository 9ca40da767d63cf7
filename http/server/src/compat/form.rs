//! Bodies in both forms, as they are documented: `type` decides, whatever the headers say (D-013).

use std::fmt::Write;

use axum::http::Uri;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::errno::Errno;
use super::xml;

/// JSON or XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Xml,
}

impl Kind {
    /// The form that `type` asks for, JSON when it is missing; and whether it is a known one
    /// (D-014).
    pub(super) fn of(query: &[(String, String)]) -> (Self, bool) {
        match query.iter().find(|(name, _)| name == "type").map(|(_, value)| value.as_str()) {
            None | Some("json") => (Self::Json, true),
            Some("xml") => (Self::Xml, true),
            Some(_) => (Self::Json, false),
        }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
        }
    }
}

/// The parameters of a query.
pub(super) fn query(text: &str) -> Vec<(String, String)> {
    let uri = format!("/?{text}").parse::<Uri>().unwrap_or_default();
    let parsed = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri);
    parsed.map(|query| query.0).unwrap_or_default()
}

/// The fields of a request as text, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field, trimmed; none when it is missing or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a body; an empty one has no fields.
pub(super) fn read(kind: Kind, body: &[u8]) -> Result<Fields, Errno> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Fields::default());
    }
    match kind {
        Kind::Json => {
            serde_json::from_slice::<Object>(body).map(|it| it.0).map_err(|_| Errno::NotJson)
        }
        Kind::Xml => std::str::from_utf8(body).ok().and_then(of_xml).ok_or(Errno::NotXml),
    }
}

fn of_xml(text: &str) -> Option<Fields> {
    let root = xml::parse(text)?;
    if root.name != "xml" {
        return None;
    }
    let mut fields = Vec::new();
    for child in root.children {
        add(&mut fields, child.name, child.text)?;
    }
    Some(Fields(fields))
}

/// A field that stands there twice makes the body malformed (D-019).
fn add(fields: &mut Vec<(String, String)>, name: String, text: String) -> Option<()> {
    if fields.iter().any(|(known, _)| *known == name) {
        return None;
    }
    fields.push((name, text));
    Some(())
}

/// An object whose names are looked at one by one: a map would hide that one stands there twice.
struct Object(Fields);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                    let text = match value {
                        serde_json::Value::String(text) => text,
                        serde_json::Value::Null => String::new(),
                        other => other.to_string(),
                    };
                    add(&mut fields, name, text).ok_or_else(|| A::Error::custom("twice"))?;
                }
                Ok(Object(Fields(fields)))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// A value of an answer; all leaves are text (D-016).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Vec<(String, Self)>>),
    Object(Vec<(String, Self)>),
}

/// A named text.
pub(super) fn text(name: &str, value: impl Into<String>) -> (String, Value) {
    (name.to_owned(), Value::Text(value.into()))
}

/// `Success` and what comes with it.
pub(super) fn success(kind: Kind, more: Vec<(String, Value)>) -> String {
    let mut fields = vec![text("status", "Success")];
    fields.extend(more);
    written(kind, &fields)
}

/// `Failed` with the number that says why (D-053, D-054).
pub(super) fn failed(kind: Kind, errno: Errno) -> String {
    written(kind, &[text("status", "Failed"), text("errno", errno.as_str())])
}

fn written(kind: Kind, fields: &[(String, Value)]) -> String {
    let mut out = String::new();
    match kind {
        Kind::Json => json_object(&mut out, fields, 1),
        Kind::Xml => {
            out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n");
            xml_elements(&mut out, fields, 1);
            out.push_str("</xml>\n");
        }
    }
    out
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("    ", depth));
}

/// Writing into a string can not fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}

fn json_object(out: &mut String, fields: &[(String, Value)], depth: usize) {
    out.push_str("{\n");
    for (index, (name, value)) in fields.iter().enumerate() {
        indent(out, depth);
        push(out, format_args!("{}: ", serde_json::Value::from(name.as_str())));
        match value {
            Value::Text(text) => {
                push(out, format_args!("{}", serde_json::Value::from(text.as_str())));
            }
            Value::Object(fields) => json_object(out, fields, depth + 1),
            Value::List(items) => json_list(out, items, depth + 1),
        }
        out.push_str(if index + 1 < fields.len() { ",\n" } else { "\n" });
    }
    indent(out, depth - 1);
    out.push('}');
}

fn json_list(out: &mut String, items: &[Vec<(String, Value)>], depth: usize) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        indent(out, depth);
        json_object(out, item, depth + 1);
    }
    if !items.is_empty() {
        out.push('\n');
        indent(out, depth - 1);
    }
    out.push(']');
}

fn xml_elements(out: &mut String, fields: &[(String, Value)], depth: usize) {
    for (name, value) in fields {
        indent(out, depth);
        match value {
            Value::Text(text) => {
                push(out, format_args!("<{name}>{}</{name}>\n", xml::escaped(text)));
            }
            Value::Object(fields) => {
                push(out, format_args!("<{name}>\n"));
                xml_elements(out, fields, depth + 1);
                indent(out, depth);
                push(out, format_args!("</{name}>\n"));
            }
            Value::List(items) => {
                push(out, format_args!("<{name}>\n"));
                xml_items(out, items, depth + 1);
                indent(out, depth);
                push(out, format_args!("</{name}>\n"));
            }
        }
    }
}

/// D-017: `<item id="0">`, counted from 0.
fn xml_items(out: &mut String, items: &[Vec<(String, Value)>], depth: usize) {
    for (index, item) in items.iter().enumerate() {
        indent(out, depth);
        push(out, format_args!("<item id=\"{index}\">\n"));
        xml_elements(out, item, depth + 1);
        indent(out, depth);
        out.push_str("</item>\n");
    }
}
