//! What the office says about calls to the outside: how digits are read, which codes there are.

use std::collections::BTreeMap;

use tandem_config::resource::OutboundCode;

use super::{Direction, Office, RecordFilter, Refusal};
use crate::numbering::{self, Step, Target};
use crate::outbound::category::routes;
use crate::outbound::choose::may_use;
use crate::outbound::state::{self, CodeState};
use crate::outbound::usage::{self, Usage};
use crate::outbound::{Barred, Occasion, Plan, Wish};

/// Records that are counted at once.
const PAGE: usize = 500;

/// How a dialled string would be read (O-039).
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Which step matched.
    pub step: Step,
    /// Where it leads.
    pub target: Target,
}

/// A code as an agent or a panel sees it (O-020, O-038).
#[derive(Clone, Debug, PartialEq)]
pub struct CodeView {
    /// The code.
    pub code: OutboundCode,
    /// Whether it works.
    pub state: CodeState,
    /// The number that the customer will see; empty: the extension's or the trunk's.
    pub caller_id: String,
    /// Its trunks with whether each is up and how many calls it carries (O-035).
    pub trunks: Vec<(String, bool, u32)>,
}

impl Office {
    /// Reads digits for an extension; nothing is dialled and nothing taken of its limits.
    ///
    /// # Errors
    /// `NotFound` for an unknown extension.
    pub fn read_digits(
        &self,
        extension: &str,
        dialled: &str,
        wish: &Wish,
    ) -> Result<Reading, Refusal> {
        let directory = self.parts.provisioning.directory();
        if directory.extension(extension).is_none() {
            return Err(Refusal::NotFound { kind: "extension", key: extension.to_owned() });
        }
        let now = self.exchange().map(|exchange| exchange.clock.now()).unwrap_or_default();
        let occasion = Occasion { now, draw: 0, wish };
        let (step, target) = numbering::interpret(&directory, extension, dialled, &occasion);
        Ok(Reading { step, target })
    }

    /// Whether a line of a plan can be used now.
    #[must_use]
    pub fn has_line(&self, plan: &Plan) -> bool {
        let is_up = |trunk: &str| self.exchange().is_ok_and(|it| it.trunks.is_up(trunk));
        plan.lines.iter().any(|line| line.is_emergency || is_up(&line.trunk))
    }

    /// Whether a phone of an extension is registered.
    #[must_use]
    pub fn is_registered(&self, extension: &str) -> bool {
        let contacts = self.exchange().map(|it| it.location.contacts(extension));
        contacts.is_ok_and(|contacts| !contacts.is_empty())
    }

    /// What each code was used for, by id, from the records that fit (O-046).
    pub async fn outbound_usage(&self, filter: &RecordFilter) -> BTreeMap<String, Usage> {
        let filter = RecordFilter { direction: Some(Direction::Outbound), ..filter.clone() };
        let mut found = BTreeMap::new();
        let mut before = None;
        loop {
            let page = self.call_records(&filter, before, PAGE).await;
            page.iter().for_each(|record| usage::add(&mut found, record));
            match page.last() {
                Some(last) if page.len() == PAGE => before = Some(last.position),
                _ => return found,
            }
        }
    }

    /// The codes, or those that an extension may use (O-047).
    #[must_use]
    pub fn outbound_codes(&self, extension: Option<&str>) -> Vec<CodeView> {
        let directory = self.parts.provisioning.directory();
        let exchange = self.exchange().ok();
        let is_up = |trunk: &str| exchange.is_some_and(|it| it.trunks.is_up(trunk));
        let usable = |code: &&OutboundCode| {
            extension.is_none_or(|extension| code.enabled && may_use(&directory, code, extension))
        };
        let view = |code: &OutboundCode| {
            let category = directory.channel_category(&code.category);
            let route = category.and_then(|it| routes(&directory, it).next());
            let trunks = route.map(|route| route.trunks.as_slice()).unwrap_or_default();
            let shown = Some(&code.caller_id).filter(|id| !id.is_empty());
            let shown = shown.or_else(|| route.map(|route| &route.caller_id));
            let calls = |trunk: &str| exchange.map_or(0, |it| it.trunks.carried_by(trunk));
            CodeView {
                state: state::of(&directory, code, is_up),
                caller_id: shown.cloned().unwrap_or_default(),
                trunks: trunks.iter().map(|it| (it.clone(), is_up(it), calls(it))).collect(),
                code: code.clone(),
            }
        };
        directory.outbound_codes().filter(usable).map(view).collect()
    }
}

/// A call that a rule keeps in, as a refusal of the office.
pub(super) fn not_let_out(barred: &Barred) -> Refusal {
    Refusal::Conflict { code: barred.rule.as_str(), detail: barred.why.clone() }
}
