//! The ACK of a refused INVITE, which is part of the transaction (RFC 3261 17.1.1.3).

use bytes::Bytes;

use crate::message::{Draft, Message, Method, Name};

/// Makes the ACK from the INVITE as it was sent and the final answer to it.
pub(super) fn compose(invite: Bytes, answer: &Message) -> Option<Bytes> {
    let invite = Message::parse(invite).ok()?;
    let (cseq, _) = invite.cseq().ok()?;
    let mut ack = Draft::request(Method::Ack, invite.uri()?);
    ack.push(Name::Via, invite.header(Name::Via)?);
    ack.push(Name::MaxForwards, "70");
    for route in invite.headers(Name::Route) {
        ack.push(Name::Route, route);
    }
    ack.push(Name::From, invite.header(Name::From)?);
    ack.push(Name::To, answer.header(Name::To)?);
    ack.push(Name::CallId, invite.call_id());
    ack.push(Name::CSeq, format!("{cseq} ACK"));
    Some(ack.encode())
}
