//! Certificates renew by themselves: after two thirds of their life the authority signs the same
//! key anew, and the endpoint goes on with it. Connections that are up stay up.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::time::sleep;

use crate::authority::Order;
use crate::control::{Answer, Question};
use crate::identity::{self, Credentials};
use crate::mesh::Inner;
use crate::{MeshError, Refusal};

impl Inner {
    pub(crate) async fn keep_certificate(self: Arc<Self>) {
        loop {
            let wait = self.until_renewal();
            tokio::select! {
                () = sleep(wait) => {}
                () = self.ended() => return,
            }
            if !self.until_renewal().is_zero() {
                continue;
            }
            match self.renew().await {
                Ok(()) => tracing::info!("the certificate was renewed"),
                Err(error) => {
                    let until = self.credentials().subject.until.rfc3339();
                    tracing::warn!(%error, until, "the certificate could not be renewed");
                    sleep(self.retry()).await;
                }
            }
        }
    }

    /// Time until two thirds of the certificate's life are over, at most an hour at once: clocks
    /// step.
    fn until_renewal(&self) -> Duration {
        let own = self.credentials();
        let life = own.subject.until.since(own.subject.from);
        let due = own.subject.from + life.mul_f64(2.0 / 3.0);
        due.since(self.now()).min(Duration::from_secs(3_600))
    }

    fn retry(&self) -> Duration {
        let left = self.credentials().subject.until.since(self.now());
        (left / 10).clamp(Duration::from_millis(200), Duration::from_secs(60))
    }

    async fn renew(self: &Arc<Self>) -> Result<(), MeshError> {
        let own = self.credentials();
        let request = own.renewal()?;
        let authority = self.roster().authority;
        let certificate = if self.authority.is_some() {
            self.sign(own.subject.node, &request)?
        } else {
            match self.control(authority, &Question::Renew { request }).await {
                Ok(Answer::Renewed { certificate }) => certificate.into(),
                Ok(Answer::Refused(refusal)) => return Err(refusal.into()),
                Ok(_) => return Err(Refusal::Malformed.into()),
                Err(error) => {
                    return Err(MeshError::Unreachable(format!("node {authority}: {error}")));
                }
            }
        };
        let fresh = Credentials::new(certificate, own.authority.clone(), own.key())?;
        let (dir, fresh) = (self.config.dir.clone(), Arc::new(fresh));
        let kept = fresh.clone();
        // On disk before it is used: a start from what is older would be refused one day.
        let saved = tokio::task::spawn_blocking(move || kept.save(&dir)).await;
        self.set_credentials(fresh);
        self.listen_anew()?;
        saved.unwrap_or(Ok(()))
    }

    /// A certificate for a member, as the authority.
    pub(crate) fn sign(
        &self,
        node: u64,
        request: &[u8],
    ) -> Result<CertificateDer<'static>, Refusal> {
        let authority = self.authority.as_ref().ok_or(Refusal::NotTheAuthority)?;
        let roster = self.roster();
        let member = roster.members.get(&node).ok_or(Refusal::NotAMember)?;
        let (from, lifetime) = (self.now(), self.config.lifetime);
        let order = Order { node, name: &member.name, from, lifetime };
        let certificate = authority.sign(request, &order)?;
        let key = identity::Subject::read(&certificate)?.key;
        roster.recognise(node, &key)?;
        Ok(certificate)
    }
}
