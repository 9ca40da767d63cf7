//! What every use of a message depends on, judged by the classes of RFC 4475.

use super::draft::MAX_VIAS;
use super::error::Fault;
use super::method::Method;
use super::name::Name;
use super::parsed::Message;
use crate::value::{AddressText, UriText, ViaText, clamped_number, cseq_text};

/// The first fault of a message whose structure is sound.
pub(super) fn check(message: &Message) -> Result<(), Fault> {
    one_of_each(message)?;
    via(message)?;
    sequence(message)?;
    request_uri(message)?;
    addresses(message)?;
    match message.header(Name::MaxForwards).map(clamped_number) {
        Some(None) => Err(Fault::bad("Malformed Max-Forwards")),
        Some(Some(_)) | None => Ok(()),
    }
}

/// RFC 3261 8.1.1: these must be there. RFC 4475 3.3.8: these must not be there twice, or two
/// readers take two different ones. (Max-Forwards may lack: RFC 2543 had it optional.)
const COUNTED: [(Name, bool, Fault, Fault); 8] = [
    (Name::From, true, Fault::bad("Missing From"), Fault::bad("Several From")),
    (Name::To, true, Fault::bad("Missing To"), Fault::bad("Several To")),
    (Name::CallId, true, Fault::bad("Missing Call-ID"), Fault::bad("Several Call-ID")),
    (Name::CSeq, true, Fault::bad("Missing CSeq"), Fault::bad("Several CSeq")),
    (Name::MaxForwards, false, Fault::bad(""), Fault::bad("Several Max-Forwards")),
    (Name::ContentType, false, Fault::bad(""), Fault::bad("Several Content-Type")),
    (Name::Replaces, false, Fault::bad(""), Fault::bad("Several Replaces")),
    (Name::ReferTo, false, Fault::bad(""), Fault::bad("Several Refer-To")),
];

fn one_of_each(message: &Message) -> Result<(), Fault> {
    let mut counts = [0_u32; COUNTED.len()];
    for name in message.parts().names() {
        if let Some(place) = COUNTED.iter().position(|(counted, ..)| *counted == name) {
            counts[place] += 1;
        }
    }
    for (count, (name, is_needed, missing, several)) in counts.into_iter().zip(COUNTED) {
        if count > 1 {
            return Err(several);
        }
        if is_needed && message.header(name).is_none_or(str::is_empty) {
            return Err(missing);
        }
    }
    Ok(())
}

/// The top Via decides where the answer goes; the others are only carried back.
fn via(message: &Message) -> Result<(), Fault> {
    let mut values = message.headers(Name::Via);
    let top = values.next().ok_or(Fault::bad("Missing Via"))?;
    ViaText::read(top).and_then(|via| via.check()).map_err(|_| Fault::bad("Malformed Via"))?;
    let mut count = 1;
    if values.inspect(|_| count += 1).any(str::is_empty) {
        return Err(Fault::bad("Malformed Via"));
    }
    if count > MAX_VIAS { Err(Fault::bad("Too many Via values")) } else { Ok(()) }
}

fn sequence(message: &Message) -> Result<(), Fault> {
    let value = message.header(Name::CSeq).unwrap_or_default();
    let (_, method) = cseq_text(value).map_err(|_| Fault::bad("Malformed CSeq"))?;
    match message.method_ref() {
        // RFC 4475 3.1.2.18: an unknown method is said to be unknown, whatever CSeq says.
        None | Some(Method::Other(_)) => Ok(()),
        Some(known) if known.as_str() == method => Ok(()),
        Some(_) => Err(Fault::bad("CSeq does not match the method")),
    }
}

/// RFC 3261 8.2.2.1 for the scheme; RFC 3261 19.1.1: no headers in a Request-URI.
fn request_uri(message: &Message) -> Result<(), Fault> {
    let Some(text) = message.uri() else { return Ok(()) };
    let uri = UriText::read(text).map_err(|_| Fault::bad("Malformed Request-URI"))?;
    if !["sip", "sips", "tel"].iter().any(|known| uri.scheme.eq_ignore_ascii_case(known)) {
        return Err(Fault { status: 416, reason: "Unsupported URI Scheme" });
    }
    if uri.headers.is_some() {
        return Err(Fault::bad("Headers in the Request-URI"));
    }
    Ok(())
}

fn addresses(message: &Message) -> Result<(), Fault> {
    let is_sound = |value: &str| AddressText::read(value).and_then(|a| a.check()).is_ok();
    if !message.headers(Name::From).all(is_sound) {
        return Err(Fault::bad("Malformed From"));
    }
    if !message.headers(Name::To).all(is_sound) {
        return Err(Fault::bad("Malformed To"));
    }
    if !message.headers(Name::Contact).all(|value| value == "*" || is_sound(value)) {
        return Err(Fault::bad("Malformed Contact"));
    }
    Ok(())
}
