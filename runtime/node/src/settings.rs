//! The node's configuration from file, environment and flags.

use std::path::Path;

use tandem_config::NodeConfig;
use tandem_config::node::{self, Problem};
use tandem_mesh::level;

use crate::cli::Settings;

const PREFIX: &str = "TANDEM_";

/// Reads all layers.
///
/// # Errors
/// All problems found.
pub(crate) fn load(settings: &Settings) -> Result<NodeConfig, Vec<Problem>> {
    let text = match &settings.config {
        Some(path) => read(path)?,
        None => String::new(),
    };
    let mut overrides = from_environment(std::env::vars());
    for pair in &settings.set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(vec![problem(pair, "--set wants KEY=VALUE")]);
        };
        overrides.push((key.to_owned(), value.to_owned()));
    }
    node::load(&text, &overrides, level::NEWEST)
}

fn read(path: &Path) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(path).map_err(|error| {
        let key = path.display().to_string();
        vec![problem(&key, &format!("the file can not be read: {error}"))]
    })
}

/// `TANDEM_SIP__REALM=x` is `sip.realm = x`.
fn from_environment(vars: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    vars.filter_map(|(name, value)| {
        let key = name.strip_prefix(PREFIX)?;
        let (section, key) = key.split_once("__")?;
        Some((format!("{}.{}", section.to_lowercase(), key.to_lowercase()), value))
    })
    .collect()
}

fn problem(key: &str, what: &str) -> Problem {
    Problem { line: None, key: key.to_owned(), what: what.to_owned(), hint: String::new() }
}
