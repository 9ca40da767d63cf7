//! Revisions as entity tags (RFC 9110 section 8.8.3 and 13.1).

use axum::http::{HeaderMap, header};

use crate::problem::{Code, Problem};

/// The tag of a revision.
pub(super) fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// The revision that a write must find, out of If-Match. None: any that exists.
pub(super) fn expected(headers: &HeaderMap, actual: u64) -> Result<Option<u64>, Problem> {
    let given: Vec<&str> = values(headers, header::IF_MATCH);
    if given.is_empty() {
        let detail = "If-Match with the resource's ETag is required; GET tells it";
        return Err(Problem::new(Code::MatchRequired, detail));
    }
    if given == ["*"] {
        return Ok(None);
    }
    // Weak tags never match here (RFC 9110 section 13.1.1).
    if given.contains(&tag(actual).as_str()) {
        return Ok(Some(actual));
    }
    Err(Problem::new(Code::Stale, format!("the resource is at revision {actual}")))
}

/// Whether the client has this revision already, out of If-None-Match.
pub(super) fn is_known(headers: &HeaderMap, actual: u64) -> bool {
    let tag = tag(actual);
    let fits = |given: &&str| *given == "*" || given.trim_start_matches("W/") == tag;
    values(headers, header::IF_NONE_MATCH).iter().any(fits)
}

fn values(headers: &HeaderMap, name: header::HeaderName) -> Vec<&str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect()
}
