//! Tickets: a page can not send a token with a WebSocket or an event stream, and a token in an
//! address ends up in logs. A ticket opens one connection within half a minute. Kept in memory:
//! after a restart the page asks for another.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tandem_api::event::Ticket;
use tandem_kernel::Timestamp;

use crate::convert;
use crate::identity::Credential;
use crate::operation::{Call, Reply};
use crate::problem::{Code, Problem};
use crate::tokens;

/// How long a ticket can be used.
const LIFE: Duration = Duration::from_secs(30);
/// Tickets that are out at once; principals are slowed down before.
const MOST: usize = 10_000;

/// What a ticket is found by: the hash of its text.
type Key = [u8; 32];

/// The tickets that are out.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<Key, (Timestamp, Credential)>>);

impl Tickets {
    fn issue(&self, now: Timestamp, credential: Credential) -> Result<String, Problem> {
        let text = tokens::secret()
            .map_err(|error| Problem::unavailable(Code::Unavailable, error.to_string()))?;
        let mut tickets = self.0.lock();
        if tickets.len() >= MOST {
            tickets.retain(|_, (issued, _)| now.since(*issued) < LIFE);
        }
        if tickets.len() >= MOST {
            return Err(Problem::unavailable(Code::Unavailable, "too many tickets are out"));
        }
        tickets.insert(*tokens::hash(&text).as_bytes(), (now, credential));
        Ok(text)
    }

    /// What a ticket stands for; it is gone after that.
    pub(crate) fn redeem(&self, now: Timestamp, text: &str) -> Option<Credential> {
        let (issued, credential) = self.0.lock().remove(tokens::hash(text).as_bytes())?;
        (now.since(issued) < LIFE).then_some(credential)
    }
}

pub(super) async fn issue(call: Call) -> Result<Reply, Problem> {
    let now = call.edge.now();
    let ticket = call.edge.tickets.issue(now, call.caller()?.credential.clone())?;
    let ticket = Ticket { ticket, expires_at: (now + LIFE).rfc3339() };
    Ok(Reply::created(convert::value(&ticket)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_one_connection_and_only_for_half_a_minute() {
        let tickets = Tickets::default();
        let credential = || Credential::Token("tandem_a_b".into());
        let at = Timestamp::from_secs;
        let first = tickets.issue(at(100), credential()).unwrap_or_default();
        let late = tickets.issue(at(100), credential()).unwrap_or_default();

        assert_eq!(tickets.redeem(at(101), "else"), None);
        assert_eq!(tickets.redeem(at(101), &first), Some(credential()));
        assert_eq!(tickets.redeem(at(101), &first), None);
        assert_eq!(tickets.redeem(at(130), &late), None);
    }
}
