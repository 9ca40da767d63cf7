//! TURN servers for the phones in browsers, with credentials that end by themselves (the "REST API
//! for access to TURN services", as coturn's `use-auth-secret` takes it): whoever takes one from
//! a page can relay with it for a day, not for ever.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tandem_api::phone::IceServer;
use tandem_kernel::Timestamp;

/// The servers, and what is shared with them.
#[derive(Clone)]
pub struct Relays {
    /// `turn:`, `turns:` and `stun:` URLs; none: there are no such servers.
    pub urls: Vec<String>,
    /// The secret that the servers know.
    pub secret: String,
    /// How long a credential is valid.
    pub valid_for: Duration,
}

impl Relays {
    /// What a page is told for its extension.
    pub(crate) fn servers(&self, now: Timestamp, extension: &str) -> Vec<IceServer> {
        if self.urls.is_empty() {
            return Vec::new();
        }
        let until = now.as_micros() / 1_000_000 + self.valid_for.as_secs();
        let username = format!("{until}:{extension}");
        // The servers' own choice: an HMAC has no use for collisions of SHA-1.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        vec![IceServer { urls: self.urls.clone(), username, credential }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(urls: &[&str]) -> Relays {
        Relays {
            urls: urls.iter().map(ToString::to_string).collect(),
            secret: "north".into(),
            valid_for: Duration::from_secs(86_400),
        }
    }

    /// The password is what `openssl dgst -sha1 -hmac north -binary | base64` makes of the name.
    #[test]
    fn a_credential_is_the_hmac_of_its_end_and_the_extension() {
        let now = Timestamp::from_secs(1_700_000_000);

        let servers = relays(&["turn:turn.example.com:3478"]).servers(now, "1001");

        assert_eq!(servers.len(), 1);
        assert_eq!(servers[0].urls, ["turn:turn.example.com:3478"]);
        assert_eq!(servers[0].username, "1700086400:1001");
        assert_eq!(servers[0].credential, "B0ipFFIoDHDajEv+fVOhmIix6Rc=");
    }

    #[test]
    fn without_servers_nothing_is_told() {
        assert_eq!(relays(&[]).servers(Timestamp::from_secs(1), "1001"), []);
    }
}
