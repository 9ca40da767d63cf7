//! Offer and answer.

use divan::Bencher;
use tandem_sdp::{Capabilities, Direction, Local, answer, parse};
use tandem_sip::message::Message;

use crate::invite;

fn local() -> Local {
    Local {
        addr: [192, 0, 2, 1].into(),
        port: 20_000,
        session_id: 1,
        version: 1,
        direction: Direction::SendRecv,
        key: None,
    }
}

#[divan::bench]
fn read_an_offer(bencher: Bencher<'_, '_>) {
    let message = Message::parse(invite()).unwrap();
    bencher.bench(|| parse(message.body()).unwrap());
}

#[divan::bench]
fn read_and_answer_an_offer(bencher: Bencher<'_, '_>) {
    let message = Message::parse(invite()).unwrap();
    let (capabilities, local) = (Capabilities::default(), local());
    bencher.bench(|| {
        let offer = parse(message.body()).unwrap();
        answer(&capabilities, &local, &offer).unwrap()
    });
}
