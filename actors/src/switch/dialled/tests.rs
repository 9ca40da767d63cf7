#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use serde_json::{Value, json};
use tandem_config::Resource;
use tandem_kernel::Timestamp;
use tandem_sip::message::{Draft, Message, Method, Name};

use super::number;
use crate::office::Stored;
use crate::provisioning::Directory;
use crate::switch::Caller;

fn directory(did: &str) -> Directory {
    let mut directory = Directory::default();
    let route = json!({
        "kind": "inbound-route", "name": "sales", "did": [did], "destination": {"type": "end_call"},
    });
    let resource: Resource = serde_json::from_value(route).unwrap();
    directory.put(Stored { resource, revision: 1, changed_at: Timestamp::default() });
    directory
}

/// A call from a trunk of a mode, with an account.
fn called(did: &str, (mode, account): (&str, &str), (uri, to): (&str, &str)) -> Option<String> {
    let auth = json!({ "username": account, "password": "wonderland" });
    let trunk: Value =
        json!({ "name": "carrier", "host": "192.0.2.1", "mode": mode, "auth": auth });
    let caller = Caller::Trunk(Arc::new(serde_json::from_value(trunk).unwrap()));
    let draft = Draft::request(Method::Invite, uri)
        .with(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
        .with(Name::From, "<sip:0912@192.0.2.1>;tag=1")
        .with(Name::To, to)
        .with(Name::CallId, "1")
        .with(Name::CSeq, "1 INVITE");
    number(&directory(did), &Message::parse(draft.encode()).unwrap(), &caller)
}

const TO: &str = "<sip:5550100@192.0.2.1>";

#[test]
fn a_call_to_our_account_is_for_the_number_in_to() {
    let uri = "sip:alice@198.51.100.1:5060";
    assert_eq!(called("5550100", ("register", "alice"), (uri, TO)).unwrap(), "5550100");
    // A route for whatever comes is no name for the account.
    assert_eq!(called(".", ("register", "alice"), (uri, TO)).unwrap(), "5550100");
    assert_eq!(called(".", ("register", "alice"), (uri, "<sip:192.0.2.1>")).unwrap(), "alice");
}

#[test]
fn an_account_that_is_a_number_of_the_house_is_that_number() {
    // Forwarded: To names somebody else's number.
    let uri = "sip:5550199@198.51.100.1";
    assert_eq!(called("5550199", ("register", "5550199"), (uri, TO)).unwrap(), "5550199");
    assert_eq!(called("5550100", ("register", "5550199"), (uri, TO)).unwrap(), "5550100");
}

#[test]
fn the_request_uri_says_what_is_called_on_any_other_way() {
    let call = ("sip:5550177@198.51.100.1", TO);
    assert_eq!(called("5550100", ("register", "alice"), call).unwrap(), "5550177");
    assert_eq!(called("5550100", ("peer", "5550177"), call).unwrap(), "5550177");
    assert_eq!(called("5550100", ("peer", "alice"), ("tel:5550177", TO)).unwrap(), "5550177");
}
