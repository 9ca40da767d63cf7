//! API tokens: `tandem_<id>_<secret>`. The secret has 256 bits of chance, so a plain BLAKE3 of
//! it is all that is kept.

use rand::TryRngCore;
use rand::rngs::OsRng;
use tandem_config::resource::{ApiToken, Role};

const PREFIX: &str = "tandem_";

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("failed to draw randomness from the system")]
pub struct NoRandomness;

/// A new token and its text, which is not kept anywhere.
///
/// # Errors
/// When the system gives no randomness.
pub fn fresh(name: &str, role: Role) -> Result<(ApiToken, String), NoRandomness> {
    let mut id = [0; 8];
    OsRng.try_fill_bytes(&mut id).map_err(|_| NoRandomness)?;
    let (id, secret) = (hex(&id), secret()?);
    let token = ApiToken {
        id: id.clone(),
        name: name.to_owned(),
        secret_hash: hash(&secret).to_hex().to_string(),
        role,
        extension: None,
        expires_at: None,
    };
    Ok((token, format!("{PREFIX}{id}_{secret}")))
}

/// A text of 256 random bits.
pub(crate) fn secret() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(hex(&bytes))
}

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// The id and the secret of a token's text.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(PREFIX)?.rsplit_once('_')
}

/// Whether the secret is the token's; in constant time.
pub(crate) fn fits(token: &ApiToken, secret: &str) -> bool {
    // The comparison of two `blake3::Hash` is constant in time.
    blake3::Hash::from_hex(&token.secret_hash).is_ok_and(|kept| kept == hash(secret))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
