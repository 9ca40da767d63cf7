//! The phone of a page: connected, and dialled with.

use std::sync::Arc;
use std::time::Duration;

use tandem_kernel::CallId;

use super::{Office, Originate, Principal, Refusal};
use crate::call::machine::Device;
use crate::gateway::Dial;
use crate::gateway::words::{Answer, Question};
use crate::softphone::{self, Connection, Softphones};

/// How long another member may take to begin a call.
const BEGUN_WITHIN: Duration = Duration::from_secs(3);

impl Office {
    /// Makes a page the phone of an extension: answers its offer of audio.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension, `Conflict` when the audio can not be agreed.
    pub async fn connect_phone(
        &self,
        by: &Principal,
        extension: &str,
        offer: String,
    ) -> Result<Connection, Refusal> {
        let connection = Softphones::connect(self.exchange()?, extension, offer).await?;
        tracing::info!(by = %by.name, extension, "a browser is the phone");
        Ok(connection)
    }

    /// Dials on the phone in a browser, which is on the call at once. Who talks already dials at
    /// the member of that call, so that the two can be joined.
    ///
    /// # Errors
    /// `Conflict` when another page has the phone, `Unavailable` when the node is full.
    pub async fn dial_on_phone(
        &self,
        by: &Principal,
        connection: &Connection,
        wish: Originate,
    ) -> Result<CallId, Refusal> {
        let Some(member) = connection.talks_at().await? else {
            let id = CallId::fresh_at(self.parts.journal.node());
            connection.expect(id, wish.to.clone()).await?;
            self.dial(&by.name, id, wish).await?;
            self.note_call(by, id);
            return Ok(id);
        };
        let id = CallId::fresh_at(member);
        connection.expect(id, wish.to.clone()).await?;
        let dial = Dial { call: id, from: wish.from, to: wish.to, by: by.name.clone() };
        let asked = match self.exchange()?.placed.gateway() {
            Some(gateway) => gateway.ask(member, Question::Dial(dial), BEGUN_WITHIN).await,
            None => None,
        };
        match asked {
            Some(Answer::Steered(outcome)) => outcome.map_err(|denied| denied.refusal(id))?,
            _ => {
                let detail = format!("member {member}, which has the call, does not answer");
                return Err(Refusal::Unavailable { detail });
            }
        }
        self.note_call(by, id);
        Ok(id)
    }

    async fn dial(&self, by: &str, id: CallId, wish: Originate) -> Result<(), Refusal> {
        let device = Device {
            extension: wish.from.clone(),
            name: String::new(),
            binding: softphone::BINDING.to_owned(),
        };
        let shown = self.shown(&wish)?;
        self.admit()?;
        self.begin(by, id, wish, (vec![device], shown)).await
    }

    /// Begins calls here for pages of other members.
    pub(super) fn dial_for_others(&self) {
        let exchange = self.parts.exchange.as_ref();
        let Some(gateway) = exchange.and_then(|exchange| exchange.placed.gateway()) else { return };
        let parts = Arc::downgrade(&self.parts);
        gateway.dials_by(Arc::new(move |dial: Dial| {
            let parts = parts.upgrade();
            Box::pin(async move {
                let ends = || Refusal::Unavailable { detail: "the node ends".into() };
                let office = Self { parts: parts.ok_or_else(ends)? };
                let wish = Originate::plain(dial.from, dial.to);
                office.dial(&dial.by, dial.call, wish).await
            })
        }));
    }
}
