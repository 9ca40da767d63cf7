//! The wire front: as a datagram, from a stream whole and in pieces, and what is answered.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tandem_sip::message::{Draft, Frame, Framer, Limits, Message, Name};

fn frames(bytes: &[u8], piece: usize) -> (Vec<Frame>, bool) {
    let mut framer = Framer::new(Limits { message: 4_096 });
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    if let Some(answer) = error.answer() {
                        Message::parse(answer.encode()).expect("an answer can be read");
                    }
                    return (frames, true);
                }
            }
        }
    }
    (frames, false)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = frames(bytes, bytes.len());
    assert_eq!(whole, frames(bytes, 1));
    assert_eq!(whole, frames(bytes, 13));
    for frame in whole.0 {
        let Frame::Message(raw) = frame else { continue };
        if let Ok(message) = Message::parse(raw.clone()) {
            assert_eq!(message.raw(), &raw, "stream and datagram agree on the length");
        }
    }
    match Message::parse(Bytes::copy_from_slice(bytes)) {
        Ok(message) => {
            for (name, value) in message.fields() {
                assert!(!value.contains(['\r', '\n']));
                let _ = message.other(name);
            }
            let _ = (message.cseq(), message.top_via(), message.max_forwards());
            let _ = (message.from_tag(), message.to_tag(), message.number(Name::Expires));
            let answer = match message.check() {
                Ok(()) => Some(Draft::response(&message, 200)),
                Err(error) => error.answer(),
            };
            if let Some(mut answer) = answer {
                answer.set_to_tag("x");
                Message::parse(answer.encode()).expect("an answer can be read");
            }
        }
        Err(error) => {
            if let Some(answer) = error.answer() {
                Message::parse(answer.encode()).expect("an answer can be read");
            }
        }
    }
});
