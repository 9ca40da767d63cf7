//! Pages: an opaque cursor after which the next page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::operation::Call;
use crate::problem::Problem;

const DEFAULT: usize = 50;
const MOST: usize = 500;

/// The page that is asked for.
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) after: Option<String>,
}

impl Page {
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        let limit = match call.query("limit") {
            None => DEFAULT,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=MOST).contains(&limit) => limit,
                _ => return Err(Problem::parameter("limit", "a number from 1 to 500")),
            },
        };
        let after = call.query("cursor").map(open).transpose()?;
        Ok(Self { limit, after })
    }

    /// The body of a page out of at most one item more than its limit, each with its key.
    pub(crate) fn body(&self, mut items: Vec<(String, Value)>) -> Value {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
        let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
        json!({ "items": items, "next_cursor": next })
    }
}

fn open(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Problem::parameter("cursor", "not a cursor of this API"))
}
