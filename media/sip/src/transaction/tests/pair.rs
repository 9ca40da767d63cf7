//! Two layers with a network between them that loses messages.

use super::*;

/// A small generator, so that a failing run can be run again.
struct Chance(u64);

impl Chance {
    fn percent(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % 100
    }
}

const DELAY: Duration = Duration::from_millis(30);

/// A caller and a callee; `loss` percent of all messages vanish.
struct Pair {
    ends: [Layer<u8>; 2],
    now: Instant,
    wire: Vec<(Instant, usize, Bytes)>,
    chance: Chance,
    loss: u64,
    final_answers: Vec<u16>,
    new_requests: usize,
    callee_answers: u16,
}

impl Pair {
    fn new(seed: u64, loss: u64, callee_answers: u16) -> Self {
        let layer = || Layer::new(0, Timers::default(), Keys::fresh());
        Self {
            ends: [layer(), layer()],
            now: Instant::now(),
            wire: Vec::new(),
            chance: Chance(seed),
            loss,
            final_answers: Vec::new(),
            new_requests: 0,
            callee_answers,
        }
    }

    fn take(&mut self, end: usize, out: Out) {
        for output in out {
            match output {
                Output::Send { bytes, .. } if self.chance.percent() >= self.loss => {
                    self.wire.push((self.now + DELAY, 1 - end, bytes));
                }
                Output::Response { response, .. } => {
                    self.final_answers.extend(response.status().filter(|status| *status >= 200));
                }
                Output::Timeout { .. } => self.final_answers.push(408),
                Output::Send { .. } | Output::Failed { .. } | Output::Gone { .. } => {}
            }
        }
    }

    fn deliver(&mut self, end: usize, raw: Bytes) {
        let message = Message::parse(raw).unwrap();
        let mut out = Out::new();
        if !message.is_request() {
            self.ends[end].response(self.now, &message, udp(), &mut out);
            return self.take(end, out);
        }
        if let Arrival::New(txn) = self.ends[end].request(self.now, &message, udp(), &mut out) {
            self.new_requests += 1;
            let mut draft = crate::message::Draft::response(&message, self.callee_answers);
            draft.set_to_tag("far");
            let status = self.callee_answers;
            self.ends[end].respond(self.now, txn, status, draft.encode(), &mut out).unwrap();
        }
        self.take(end, out);
    }

    fn run(&mut self, method: &Method) {
        let (txn, branch) = self.ends[0].open(self.now, method, 7);
        let bytes = Bytes::from(request(method, &branch, "pair", None));
        let sending = Sending { call_id: "pair", cseq: 1, bytes };
        let mut out = Out::new();
        self.ends[0].send(self.now, txn, udp(), sending, &mut out).unwrap();
        self.take(0, out);
        while let Some(next) = self.next() {
            self.now = next;
            let (due, later) = self.wire.drain(..).partition(|(at, ..)| *at <= next);
            self.wire = later;
            let due: Vec<(Instant, usize, Bytes)> = due;
            for (_, end, raw) in due {
                self.deliver(end, raw);
            }
            for end in 0..2 {
                let mut out = Out::new();
                self.ends[end].fire(self.now, &mut out);
                self.take(end, out);
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wire.iter().map(|(at, ..)| *at);
        wire.chain(self.ends.iter().filter_map(Layer::due)).min()
    }
}

#[test]
fn a_request_gets_through_a_network_that_loses_a_third() {
    for seed in 1..200 {
        let mut pair = Pair::new(seed, 33, 200);
        pair.run(&Method::Options);

        assert_eq!(pair.final_answers, [200], "seed {seed}");
        assert_eq!(pair.new_requests, 1, "seed {seed}");
        assert!(pair.ends.iter().all(Layer::is_empty), "seed {seed}");
    }
}

#[test]
fn a_refused_invite_is_told_once_and_both_ends_come_to_rest() {
    for seed in 1..200 {
        let mut pair = Pair::new(seed, 30, 486);
        pair.run(&Method::Invite);

        assert_eq!(pair.final_answers.len(), 1, "seed {seed}");
        assert!(pair.new_requests <= 1, "seed {seed}");
        assert!(pair.ends.iter().all(Layer::is_empty), "seed {seed}");
    }
}

#[test]
fn a_network_that_loses_everything_is_a_timeout() {
    let mut pair = Pair::new(1, 100, 200);
    pair.run(&Method::Invite);
    assert_eq!(pair.final_answers, [408]);
    assert_eq!(pair.new_requests, 0);
}
