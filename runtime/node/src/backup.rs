//! What a backup holds, and a data directory that is made from one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tandem_actors::backup::{self, Folders};
use tandem_actors::prompts;
use tandem_config::NodeConfig;
use tandem_journal::Journal;

use crate::cli::Restore;

/// The messages of mailboxes and the uploaded prompts. What the binary brings is in no backup.
pub(crate) fn folders(config: &NodeConfig) -> Folders {
    let voicemail = config.node.data_dir.join("voicemail");
    Folders(vec![
        ("voicemail".to_owned(), voicemail),
        (prompts::FOLDER.to_owned(), crate::library::dir(config).join(prompts::FOLDER)),
    ])
}

/// Makes the data directory from a backup; gives what to print.
///
/// # Errors
/// When there is a journal already, or the backup is damaged.
pub(crate) fn restore(config: &NodeConfig, wanted: &Restore) -> Result<String> {
    let data_dir = &config.node.data_dir;
    let journal = data_dir.join("journal");
    if journal.exists() || data_dir.join("cluster").exists() {
        bail!("{} holds a node: restore into an empty data directory", data_dir.display());
    }
    let unpacked = data_dir.join("restored");
    fs::create_dir_all(&unpacked)
        .with_context(|| format!("failed to make {}", unpacked.display()))?;
    let outcome = moved_in(config, wanted, &unpacked, &journal);
    if outcome.is_err() {
        // Nothing of it is left, so that a second try begins like the first.
        let _kept = (fs::remove_dir_all(&journal), fs::remove_dir_all(&unpacked));
    }
    outcome
}

fn moved_in(
    config: &NodeConfig,
    wanted: &Restore,
    unpacked: &Path,
    journal: &Path,
) -> Result<String> {
    let manifest = backup::unpack(&wanted.file, unpacked)
        .with_context(|| format!("failed to read {}", wanted.file.display()))?;
    if wanted.until.is_some_and(|until| until.index > manifest.position.index) {
        bail!("the backup ends at {}", manifest.position);
    }
    let copy = unpacked.join(backup::JOURNAL);
    let head = Journal::restore(journal, &copy, wanted.until)?;
    let custom = crate::library::dir(config).join(prompts::FOLDER);
    put(&unpacked.join("voicemail"), &config.node.data_dir.join("voicemail"))?;
    put(&unpacked.join(prompts::FOLDER), &custom)?;
    fs::remove_dir_all(unpacked).context("failed to tidy up")?;
    Ok(format!(
        "restored up to {head} of a backup made at {}. The node is alone; start it, or let it \
         found a cluster anew with `tandem cluster init`",
        manifest.at.rfc3339()
    ))
}

/// Moves a folder that there may be to its place.
fn put(from: &Path, to: &PathBuf) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    if let Some(above) = to.parent() {
        fs::create_dir_all(above).with_context(|| format!("failed to make {}", above.display()))?;
    }
    fs::rename(from, to).with_context(|| format!("failed to put {} in its place", to.display()))
}
