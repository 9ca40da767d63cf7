//! Bodies of NOTIFYs: dialog-info (RFC 4235) and message-summary (RFC 3842).

use std::fmt::Write;

use tandem_kernel::CallId;
use tandem_sip::session::notifier::Content;

use super::watched::{Lamp, Progress, State, Talk};
use crate::call::machine::LegIndex;

/// The media type of dialog-info.
pub const DIALOG_INFO: &str = "application/dialog-info+xml";
/// The media type of message-summary.
pub const MESSAGE_SUMMARY: &str = "application/simple-message-summary";

/// The body that shows a state. `entity` is the URI that was subscribed to, `version` counts
/// the NOTIFYs of one subscription from 0 (RFC 4235 4.1).
#[must_use]
pub fn of(state: &State, entity: &str, version: u32) -> Content {
    match state {
        State::Calls(talks) => dialog_info(entity, version, |out| calls(out, entity, talks)),
        State::Lamp(lamp) => dialog_info(entity, version, |out| {
            let state = match lamp {
                Lamp::Green => "terminated",
                Lamp::Red => "confirmed",
                Lamp::Flashing => "early",
            };
            plain_dialog(out, entity, state);
        }),
        State::Mail(mail) => {
            let waiting = if mail.new > 0 { "yes" } else { "no" };
            let body = format!(
                "Messages-Waiting: {waiting}\r\nMessage-Account: {entity}\r\n\
                 Voice-Message: {}/{} (0/0)\r\n",
                mail.new, mail.old
            );
            Content { kind: MESSAGE_SUMMARY, body: body.into() }
        }
    }
}

fn dialog_info(entity: &str, version: u32, dialogs: impl FnOnce(&mut String)) -> Content {
    let mut body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"full\" entity=\"{}\">\r\n",
        escaped(entity)
    );
    dialogs(&mut body);
    body.push_str("</dialog-info>\r\n");
    Content { kind: DIALOG_INFO, body: body.into() }
}

/// An extension without a call has one dialog that is over: phones look at dialogs alone.
fn calls(out: &mut String, entity: &str, talks: &[((CallId, LegIndex), Talk)]) {
    if talks.is_empty() {
        plain_dialog(out, entity, "terminated");
    }
    for ((call, leg), talk) in talks {
        let direction = if talk.is_initiator { "initiator" } else { "recipient" };
        let state = match talk.progress {
            Progress::Trying => "trying",
            Progress::Early => "early",
            Progress::Confirmed => "confirmed",
        };
        let rendering = if talk.is_held { "no" } else { "yes" };
        let (own, remote) = (escaped(entity), escaped(&beside(entity, &talk.remote)));
        // Writing into a string can not fail.
        let _ = write!(
            out,
            "<dialog id=\"{call}-{leg}\" direction=\"{direction}\">\r\n\
             <state>{state}</state>\r\n\
             <local><identity>{own}</identity><target uri=\"{own}\">\
             <param pname=\"+sip.rendering\" pvalue=\"{rendering}\"/></target></local>\r\n\
             <remote><identity>{remote}</identity><target uri=\"{remote}\"/></remote>\r\n\
             </dialog>\r\n"
        );
    }
}

fn plain_dialog(out: &mut String, entity: &str, state: &str) {
    let id = escaped(user(entity));
    let _ = write!(out, "<dialog id=\"{id}\"><state>{state}</state></dialog>\r\n");
}

fn user(entity: &str) -> &str {
    let rest = entity.split_once(':').map_or(entity, |(_, rest)| rest);
    rest.split('@').next().unwrap_or(rest)
}

/// Another number at the same host.
fn beside(entity: &str, number: &str) -> String {
    let host = entity.split_once('@').map_or("", |(_, host)| host);
    format!("sip:{number}@{host}")
}

/// Text that can not end an element or an attribute; what XML can not hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
