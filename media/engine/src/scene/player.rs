//! A player: a programme of files, tones and silence, 20 ms at a time.

use crate::library::{Part, Track};
use crate::resample::{Converter, Frame, Rate, RateSet};
use crate::tone::Generator;
use crate::types::{MediaEvent, MediaSink, PlayerId};
use tandem_kernel::CallId;

/// One player of a call.
pub(crate) struct Player {
    pub(crate) id: PlayerId,
    pub(crate) sink: MediaSink,
    track: Track,
    /// The part that plays.
    part: usize,
    state: State,
    /// Whether any part of this round gave anything: a programme of nothing ends instead of
    /// spinning.
    round_was_heard: bool,
    converter: Converter,
    /// Each listener hears itself, at the moment.
    pub(crate) is_echo: bool,
    /// The rates its listeners have, set by the plan.
    pub(crate) wanted: RateSet,
}

/// Where a player stands within its part.
enum State {
    Begin,
    /// The next sample of the version of the file at this rate.
    File(Rate, usize),
    /// The tone, and the samples that are left when it has an end.
    Tone(Generator, Option<usize>),
    /// Samples of silence that are left.
    Silence(usize),
    /// Until it is stopped.
    Echo,
}

/// What a player did in 20 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Played {
    Audio,
    /// There is nothing left.
    Finished,
}

impl Player {
    pub(crate) fn new(id: PlayerId, track: Track, sink: MediaSink) -> Self {
        Self {
            id,
            sink,
            track,
            part: 0,
            state: State::Begin,
            round_was_heard: false,
            converter: Converter::default(),
            is_echo: false,
            wanted: RateSet::default(),
        }
    }

    /// Whether a listener may have to hear itself.
    pub(crate) fn has_echo(&self) -> bool {
        self.track.parts.iter().any(|part| matches!(part, Part::Echo))
    }

    /// Plays 20 ms into the frame, at each rate that is wanted.
    pub(crate) fn play(&mut self, call: CallId, frame: &mut Frame) -> Played {
        frame.clear();
        let ceiling = self.wanted.highest().unwrap_or(Rate::Narrow);
        let mut native = None;
        loop {
            if matches!(self.state, State::Begin) {
                match self.begin(call, ceiling) {
                    Begun::Yes => {}
                    Begun::NotYet => return self.finish_frame(frame, native),
                    Begun::Over => {
                        let is_empty = native.is_none();
                        let played = self.finish_frame(frame, native);
                        return if is_empty { Played::Finished } else { played };
                    }
                }
            }
            let rate = match self.state {
                State::Echo => {
                    self.is_echo = true;
                    return Played::Audio;
                }
                State::File(rate, _) => rate,
                State::Begin | State::Tone(..) | State::Silence(_) => Rate::Narrow,
            };
            let into = *native.get_or_insert(rate);
            // Parts of different rates meet at a frame's end; up to 20 ms of silence.
            if into != rate || self.fill(rate, frame) {
                return self.finish_frame(frame, native);
            }
        }
    }

    fn finish_frame(&mut self, frame: &mut Frame, native: Option<Rate>) -> Played {
        if let Some(native) = native {
            frame.at_mut(native).resize(native.frame(), 0);
            self.converter.fill(frame, native, self.wanted);
        }
        Played::Audio
    }

    /// Enters the part that is next.
    fn begin(&mut self, call: CallId, ceiling: Rate) -> Begun {
        // Each part is looked at no more than once per frame and once again after the wrap.
        for _ in 0..=self.track.parts.len() {
            if self.part >= self.track.parts.len() {
                if !self.track.repeat || !self.round_was_heard {
                    return Begun::Over;
                }
                self.part = 0;
                self.round_was_heard = false;
            }
            let samples = |ms: u32| ms as usize * 8;
            let state = match &self.track.parts[self.part] {
                Part::File(slot) => match slot.get() {
                    None => return Begun::NotYet,
                    Some(Ok(recording)) => Ok(State::File(recording.best(ceiling).rate, 0)),
                    Some(Err(why)) => Err(why.clone()),
                },
                Part::Tone(tone, ms) => Ok(State::Tone(Generator::new(*tone), ms.map(samples))),
                Part::Silence(ms) => Ok(State::Silence(samples(*ms))),
                Part::Echo => Ok(State::Echo),
            };
            match state {
                Ok(state) => {
                    self.state = state;
                    return Begun::Yes;
                }
                Err(why) => {
                    (self.sink)(MediaEvent::NotPlayed { call, player: self.id, why });
                    self.part += 1;
                }
            }
        }
        Begun::Over
    }

    /// Adds to the frame from the part that plays; true when the frame is full.
    fn fill(&mut self, rate: Rate, frame: &mut Frame) -> bool {
        let out = frame.at_mut(rate);
        let room = rate.frame() - out.len();
        let done = match &mut self.state {
            State::File(_, position) => {
                let Part::File(slot) = &self.track.parts[self.part] else {
                    unreachable!("the state is made from the part")
                };
                let samples = match slot.get() {
                    Some(Ok(recording)) => &recording.best(rate).samples[*position..],
                    None | Some(Err(_)) => &[],
                };
                let taken = room.min(samples.len());
                out.extend_from_slice(&samples[..taken]);
                *position += taken;
                taken == samples.len()
            }
            State::Tone(generator, left) => {
                let taken = left.map_or(room, |left| left.min(room));
                generator.run(taken, out);
                left.as_mut().is_some_and(|left| {
                    *left -= taken;
                    *left == 0
                })
            }
            State::Silence(left) => {
                let taken = room.min(*left);
                out.resize(out.len() + taken, 0);
                *left -= taken;
                *left == 0
            }
            State::Begin | State::Echo => false,
        };
        self.round_was_heard |= !out.is_empty();
        let is_full = out.len() == rate.frame();
        if done {
            self.part += 1;
            self.state = State::Begin;
        }
        is_full
    }
}

enum Begun {
    Yes,
    /// The file is still being read.
    NotYet,
    Over,
}
