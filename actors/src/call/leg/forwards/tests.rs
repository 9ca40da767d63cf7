#![allow(clippy::unwrap_used)]

use tandem_sip::message::Message;

use super::*;

fn invite(max_forwards: &str) -> Message {
    let text = format!(
        "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{max_forwards}\
         From: <sip:2@h>;tag=2\r\nTo: <sip:1@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    Message::parse(text.into()).unwrap()
}

fn sent_for(max_forwards: &str) -> Option<u32> {
    let forwards = Some(MaxForwards::of(&invite(max_forwards)));
    Inherited { codec: None, forwards }.max_forwards().map(|it| it.0)
}

#[test]
fn an_invite_that_is_sent_for_another_has_one_hop_less() {
    assert_eq!(sent_for("Max-Forwards: 70\r\n"), Some(69));
    assert_eq!(sent_for("Max-Forwards: 12\r\n"), Some(11));
    assert_eq!(sent_for("Max-Forwards: 1\r\n"), Some(0));
}

#[test]
fn an_invite_without_hops_is_not_sent_on() {
    assert_eq!(sent_for("Max-Forwards: 0\r\n"), None);
}

#[test]
fn an_invite_for_one_that_counts_none_begins_anew() {
    assert_eq!(sent_for(""), Some(70));
}

#[test]
fn an_invite_for_nobody_begins_anew() {
    assert_eq!(Inherited::default().max_forwards(), Some(MaxForwards::FIRST));
}
