//! A call that wants this agent and nobody else takes them before their phones ring (C-025).

use tandem_kernel::{CallId, Timestamp};

use super::{Agent, Effect};
use crate::agent::Denial;

impl Agent {
    /// Takes the agent for a call that comes by no queue. From here on no queue gets them, until
    /// the call says that it is over for them.
    ///
    /// # Errors
    /// When the agent is not free; nothing has changed then.
    pub fn claim(&mut self, now: Timestamp, call: CallId) -> Result<Vec<Effect>, Denial> {
        if self.held.is_some() {
            return Err(Denial::Reserved);
        }
        let in_call = !self.calls.is_empty() || !self.talks.is_empty();
        let is_ready = self.facts.seats.keys().any(|queue| self.is_ready(queue));
        if in_call || !is_ready {
            return Err(Denial::NotReady);
        }
        self.now = now;
        self.calls.insert(call);
        let mut out = Vec::new();
        self.refresh(now, &mut out);
        Ok(out)
    }
}
