//! Logs: one event a line, text on a terminal and JSON elsewhere.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For collectors.
    Json,
}

/// The filter is neither a level nor a list of `module=level`.
#[derive(Debug, thiserror::Error)]
#[error("{filter:?} is not a log filter")]
pub struct BadFilter {
    filter: String,
    #[source]
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging to standard error. Later calls change nothing.
///
/// # Errors
/// [`BadFilter`] when `filter` can not be read.
pub fn start(filter: &str, format: Format) -> Result<(), BadFilter> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|source| BadFilter { filter: filter.to_owned(), source })?;
    // A file of the log has no colours.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first subscriber.
    let _already = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().try_init(),
    };
    Ok(())
}
