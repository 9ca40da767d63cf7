//! The demo office: on an empty journal, six phones, a queue that one can call at once, and two
//! people for the panel.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use rand::distr::{Alphanumeric, SampleString};
use tandem_actors::office::Principal;
use tandem_actors::provisioning::Provisioning;
use tandem_config::Resource;
use tandem_config::resource::Role;
use tandem_server::{Cost, Passwords, tokens};

/// What was provisioned, kept beside the data and read by who makes the first call.
#[derive(serde::Serialize)]
struct Demo {
    /// An administrator's bearer token.
    token: String,
    /// SIP passwords by extension.
    passwords: BTreeMap<String, String>,
    /// Passwords of the panel by name.
    panel: BTreeMap<String, String>,
}

/// Provisions the office, unless something is provisioned already.
///
/// # Errors
/// When the journal does not take it or the file can not be written.
pub(crate) async fn provision(provisioning: &Provisioning, data_dir: &Path) -> Result<()> {
    if !provisioning.directory().is_empty() {
        return Ok(());
    }
    let by = Principal::system();
    let mut passwords = BTreeMap::new();
    for number in 1000..=1005 {
        let password = Alphanumeric.sample_string(&mut rand::rng(), 16);
        let extension = serde_json::json!({
            "kind": "extension", "number": number.to_string(),
            "name": format!("Phone {number}"), "password": password,
        });
        create(provisioning, &by, extension).await?;
        passwords.insert(number.to_string(), password);
    }
    let members = ["1001", "1002", "1003"]
        .map(|extension| serde_json::json!({ "extension": extension, "membership": "static" }));
    let queue = serde_json::json!({
        "kind": "queue", "number": "6400", "name": "Demo queue", "ring_strategy": "ring_all",
        "members": members,
    });
    create(provisioning, &by, queue).await?;
    let (token, text) = tokens::fresh("demo administrator", Role::Admin)?;
    provisioning
        .create(&by, Resource::ApiToken(token))
        .await
        .map_err(|refusal| anyhow!("failed to provision the demo token: {refusal}"))?;
    let panel = people(provisioning, &by).await?;
    write(data_dir, &Demo { token: text, passwords, panel })
}

/// An administrator and an agent with one password, which is hashed once.
async fn people(provisioning: &Provisioning, by: &Principal) -> Result<BTreeMap<String, String>> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), 16);
    let text = password.clone();
    // Hashing takes a moment: not on a thread that serves others.
    let hashing =
        tokio::task::spawn_blocking(move || Passwords::new(Cost::default())?.hash_here(&text));
    let hash = hashing.await??;
    let mut panel = BTreeMap::new();
    for (name, role, extension) in [("admin", "admin", "1000"), ("agent", "agent", "1001")] {
        let user = serde_json::json!({
            "kind": "user", "name": name, "password_hash": hash, "role": role,
            "extension": extension,
        });
        create(provisioning, by, user).await?;
        panel.insert(name.to_owned(), password.clone());
    }
    Ok(panel)
}

async fn create(
    provisioning: &Provisioning,
    by: &Principal,
    json: serde_json::Value,
) -> Result<()> {
    let resource: Resource = serde_json::from_value(json).context("the demo office is wrong")?;
    provisioning
        .create(by, resource)
        .await
        .map_err(|refusal| anyhow!("failed to provision the demo office: {refusal:?}"))?;
    Ok(())
}

fn write(data_dir: &Path, demo: &Demo) -> Result<()> {
    let path = data_dir.join("demo.json");
    let unfinished = data_dir.join("demo.json.tmp");
    fs::write(&unfinished, serde_json::to_vec_pretty(demo)?)
        .with_context(|| format!("failed to write {}", unfinished.display()))?;
    restrict(&unfinished)?;
    fs::rename(&unfinished, &path)?;
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> Result<()> {
    Ok(())
}

/// How to make the first call.
pub(crate) fn first_call(data_dir: &Path, http: &str, sip: &str) -> String {
    let demo = fs::read_to_string(data_dir.join("demo.json"))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .unwrap_or_default();
    let lines = |of: &str| {
        let lines = demo[of].as_object().into_iter().flatten();
        lines
            .map(|(name, password)| {
                format!("  {name:6}{}\n", password.as_str().unwrap_or_default())
            })
            .collect::<String>()
    };
    let (passwords, panel) = (lines("passwords"), lines("panel"));
    format!(
        "Tandem is ready.\n\n\
         Panel http://{http}/panel/\n\
         {panel}\
         HTTP  http://{http}   (documents: http://{http}/api/docs)\n\
         SIP   {sip}\n\n\
         Phones (user and password; also in {}/demo.json with an administrator's token):\n\
         {passwords}\n\
         The first call: register one phone as 1001 and another as 1000, and dial 6400 from 1000.\n\
         You hear music until 1001 answers.\n\
         Alone? Dial *43 for an echo, *44 for a tone, *45 for music.",
        data_dir.display()
    )
}
