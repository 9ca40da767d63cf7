//! Pages: an opaque cursor after which the next page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::operation::{Call, Parameter};
use crate::problem::Problem;

/// The parameters of a list that comes in pages.
pub(crate) const QUERY: &[Parameter] = &[
    Parameter { name: "limit", what: "How many items at most, 1 to 500; 50 if left out." },
    Parameter { name: "cursor", what: "`next_cursor` of the page before." },
];

/// The parameters of a list of what is live, which is whole unless pages are asked for.
pub(crate) const LIVE: &[Parameter] = &[
    Parameter { name: "limit", what: "How many items at most, 1 to 500; all if left out." },
    Parameter { name: "cursor", what: "`next_cursor` of the page before." },
];

const DEFAULT: usize = 50;
const MOST: usize = 500;

/// The page that is asked for.
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) after: Option<String>,
}

impl Page {
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        Self::or(call, DEFAULT)
    }

    /// Everything, unless the client asks for pages.
    pub(crate) fn live(call: &Call) -> Result<Self, Problem> {
        Self::or(call, usize::MAX)
    }

    fn or(call: &Call, default: usize) -> Result<Self, Problem> {
        let limit = match call.query("limit") {
            None => default,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=MOST).contains(&limit) => limit,
                _ => return Err(Problem::parameter("limit", "a number from 1 to 500")),
            },
        };
        let after = call.query("cursor").map(open).transpose()?;
        Ok(Self { limit, after })
    }

    /// What a page needs of all items, whatever their order: those after the cursor, one more
    /// than its limit.
    pub(crate) fn cut<T>(&self, mut items: Vec<(String, T)>) -> Vec<(String, T)> {
        items.retain(|(key, _)| self.after.as_ref().is_none_or(|after| key > after));
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        items.truncate(self.limit.saturating_add(1));
        items
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

pub(crate) fn open(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Problem::parameter("cursor", "not a cursor of this API"))
}
