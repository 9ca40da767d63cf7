//! The small grammar that messages and values share (RFC 3261 25.1).

pub(crate) use super::lines::is_token;
pub(crate) use super::list::closing_quote;
