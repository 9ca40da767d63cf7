//! Who sends a request: an extension by its password, a trunk by its address, or nobody.

use std::sync::Arc;

use parking_lot::Mutex;
use rand::RngCore;
use tandem_config::resource::{Extension, Trunk};
use tandem_kernel::Clock;
use tandem_sip::digest::{Challenger, Denied, Policy, Presented, Secrets, presented};
use tandem_sip::message::{Draft, Name};
use tandem_sip::net::{Handle, Inbound, Offence};
use tandem_sip::value::{Challenge, NameAddr};
use tandem_telemetry::metric;

use crate::exchange::Policy as Manners;
use crate::provisioning::Provisioning;
use crate::trunk::Trunks;

/// Somebody whom we know.
#[derive(Clone, Debug)]
pub enum Caller {
    /// An extension that proved its password.
    Extension(Arc<Extension>),
    /// A trunk that calls from its address.
    Trunk(Arc<Trunk>),
}

/// The door: judges whoever sends a request, and challenges.
pub struct Access {
    provisioning: Provisioning,
    trunks: Trunks,
    sip: Handle,
    clock: Clock,
    realm: String,
    md5_only_agents: Vec<String>,
    challenger: Mutex<Challenger>,
}

impl Access {
    /// A door with a secret of its own for its nonces.
    #[must_use]
    pub fn new(
        provisioning: Provisioning,
        trunks: Trunks,
        sip: Handle,
        clock: Clock,
        policy: &Manners,
    ) -> Self {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        let mut digest = Policy::new(policy.realm.clone());
        digest.algorithms.clone_from(&policy.digest);
        let challenger = Challenger::new(digest, key, 0);
        Self {
            provisioning,
            trunks,
            sip,
            clock,
            realm: policy.realm.clone(),
            md5_only_agents: policy.md5_only_agents.clone(),
            challenger: Mutex::new(challenger),
        }
    }

    /// Who sent a request; or the answer that asks for a proof, or refuses.
    ///
    /// # Errors
    /// The answer to send.
    pub(crate) fn caller(&self, inbound: &Inbound) -> Result<Caller, Box<Draft>> {
        if let Some((trunk, exact)) = self.trunks.by_source(inbound.source)
            && (exact || !self.claims_extension(inbound))
        {
            return Ok(Caller::Trunk(trunk));
        }
        self.extension(inbound).map(Caller::Extension)
    }

    /// Whether From names one of our extensions: then only a password will do.
    fn claims_extension(&self, inbound: &Inbound) -> bool {
        let from = inbound.request.header(Name::From).and_then(|from| NameAddr::parse(from).ok());
        let user = from.and_then(|from| from.uri.user_text());
        user.is_some_and(|user| self.provisioning.directory().extension(&user).is_some())
    }

    /// The extension that proved itself by digest.
    ///
    /// # Errors
    /// 401 with challenges, or 403.
    pub(crate) fn extension(&self, inbound: &Inbound) -> Result<Arc<Extension>, Box<Draft>> {
        let request = &inbound.request;
        let now = self.clock.now();
        let source = inbound.source.ip();
        let Some(authorization) = presented(request, Name::Authorization, &self.realm) else {
            return Err(self.challenge(inbound, Denied::Missing));
        };
        let directory = self.provisioning.directory();
        let extension = directory.extension(&authorization.username).filter(|it| it.enabled);
        let secrets =
            extension.map(|it| Secrets::of(&authorization.username, &self.realm, &it.password));
        let (Some(method), Some(uri)) = (request.method_ref(), request.uri()) else {
            return Err(Box::new(Draft::response(request, 400)));
        };
        let proof = Presented { authorization: &authorization, method, uri, source };
        let verdict = self.challenger.lock().verify(now, &proof, secrets.as_ref());
        match (verdict, extension) {
            (Ok(()), Some(extension)) => {
                self.sip.prove(inbound.flow);
                Ok(Arc::new(extension.clone()))
            }
            (Err(denied), _) => Err(self.denied(inbound, denied)),
            (Ok(()), None) => Err(self.denied(inbound, Denied::Wrong)),
        }
    }

    fn denied(&self, inbound: &Inbound, denied: Denied) -> Box<Draft> {
        if matches!(denied, Denied::Wrong) {
            metric::AUTH_FAILURES.increment();
            self.sip.report(inbound.source.ip(), Offence::BadCredentials);
        }
        self.challenge(inbound, denied)
    }

    fn challenge(&self, inbound: &Inbound, denied: Denied) -> Box<Draft> {
        let now = self.clock.now();
        let challenges = self.challenger.lock().challenge(now, inbound.source.ip(), denied);
        let mut answer = Draft::response(&inbound.request, 401);
        // Some phones give up on the first challenge that they do not understand, though one
        // that they do stands beside it.
        let agent = inbound.request.header(Name::UserAgent).unwrap_or_default();
        let is_old = self.md5_only_agents.iter().any(|old| agent.starts_with(old.as_str()));
        let is_md5 = |challenge: &Challenge| {
            challenge.algorithm.as_deref().is_none_or(|name| name.eq_ignore_ascii_case("md5"))
        };
        for challenge in challenges.into_iter().filter(|it| !is_old || is_md5(it)) {
            answer.push(Name::WwwAuthenticate, challenge.to_string());
        }
        Box::new(answer)
    }
}
