//! What the office says about callbacks, and forgets.

use super::{Office, Principal, Refusal};
use crate::callback::Entry;
use crate::outbound::numbers::e164;

impl Office {
    /// The last call of an agent to a number, for support (C-047).
    ///
    /// # Errors
    /// `Unavailable` where no telephony runs.
    pub fn last_call_to(&self, number: &str) -> Result<Option<Entry>, Refusal> {
        let directory = self.parts.provisioning.directory();
        let number = e164(&directory.settings().outbound, number);
        let callbacks = &self.exchange()?.callbacks;
        Ok(number.and_then(|number| callbacks.last(&number)))
    }

    /// Forgets who called a number (C-046); answered after the commit.
    ///
    /// # Errors
    /// `Unavailable` when the journal did not take it.
    pub async fn forget_number(&self, by: &Principal, number: &str) -> Result<(), Refusal> {
        let exchange = self.exchange()?;
        let directory = self.parts.provisioning.directory();
        let Some(number) = e164(&directory.settings().outbound, number) else { return Ok(()) };
        let now = exchange.clock.now();
        let forgotten = exchange.callbacks.forget(&exchange.journal, now, &number, &by.name);
        forgotten.await.map_err(|error| Refusal::Unavailable {
            detail: format!("the journal did not take it: {error}"),
        })
    }

    /// Caller IDs of calls to the outside that nobody can call back: no inbound route takes them
    /// (C-002).
    #[must_use]
    pub fn dead_ends(&self) -> Vec<String> {
        let directory = self.parts.provisioning.directory();
        let codes = directory.outbound_codes().map(|code| &code.caller_id);
        let routes = directory.outbound_routes().map(|route| &route.caller_id);
        let trunks = directory.trunks().map(|trunk| &trunk.caller_id);
        let extensions = directory.extensions().map(|it| &it.outbound_caller_id);
        let leads_in = |number: &String| {
            directory.inbound_routes().any(|route| {
                let is_any = route.did.is_empty() || route.did.iter().any(|it| it.matches(number));
                route.enabled && is_any
            })
        };
        let shown = codes.chain(routes).chain(trunks).chain(extensions);
        let mut dead: Vec<String> =
            shown.filter(|number| !number.is_empty() && !leads_in(number)).cloned().collect();
        dead.sort();
        dead.dedup();
        dead
    }
}
