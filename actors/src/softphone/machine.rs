//! What happens on a phone in a browser. One call is talked with at a time; the others ring or
//! are held.
//!
//! ```text
//! invited ─► Ringing ─answer─► Up ◄─resume─ Held
//!               │               └───hold────►┘
//!               └─decline, hang up, the call's end─► gone
//! ```

use std::collections::{BTreeMap, VecDeque};

use tandem_kernel::{CallId, Timestamp};

/// Lines that were hung up and are remembered.
const REMEMBERED: usize = 16;

/// The number of a call on this phone. It never comes back.
pub type Line = u64;

/// What a call on the phone is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Rings here.
    Ringing,
    /// Talked with.
    Up,
    /// Put on hold here.
    Held,
}

/// What the user presses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// Takes a ringing call.
    Answer {
        /// The call's line.
        line: u64,
    },
    /// Refuses a ringing call.
    Decline {
        /// The call's line.
        line: u64,
    },
    /// Ends a call.
    HangUp {
        /// The call's line.
        line: u64,
    },
    /// Puts the other party on hold.
    Hold {
        /// The call's line.
        line: u64,
    },
    /// Takes the other party back; another call that is talked with is held.
    Resume {
        /// The call's line.
        line: u64,
    },
    /// Sends the other party to a number.
    Transfer {
        /// The call's line.
        line: u64,
        /// As one would dial it.
        to: String,
    },
    /// Joins the other parties of two calls and leaves both.
    Join {
        /// The call's line.
        line: u64,
        /// The other call's line.
        with: u64,
    },
    /// Talks with the other parties of two calls at once.
    Merge {
        /// The call's line.
        line: u64,
        /// The other call's line.
        with: u64,
    },
}

/// What the phone is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A call wants to ring here.
    Invited { line: Line, call: CallId, number: String, name: String },
    /// The user dialled: this call's leg is answered as it comes.
    Dialled { call: CallId, number: String },
    /// The user pressed something.
    Pressed(Press),
    /// A leg that is talked with, and that the phone may know or not, is back.
    Returned { line: Line, talk: Talk },
    /// The call let go of this leg.
    Ended(Line),
    /// How a transfer goes.
    Transferred { status: u16 },
}

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The call is told that it rings.
    Ring(Line),
    /// The call is answered with audio.
    Answer(Line),
    /// The leg's audio is answered, wherever it is now.
    Rejoin { line: Line, held: bool },
    /// The call is told that its leg is gone.
    End { line: Line, declined: bool },
    /// The call is offered audio that it may only listen to, or both ways again.
    Offer { line: Line, held: bool },
    /// The call is asked to transfer.
    Refer { line: Line, to: String, replaces: Option<Line> },
    /// The call takes the other party of another one in.
    Merge { line: Line, with: Line },
    /// Whom the browser talks with.
    Talk(Option<Line>),
    /// The line's audio is closed.
    Forget(Line),
}

/// Why a press does nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such line.
    #[error("there is no call on line {0}")]
    NoCall(u64),
    /// It does not ring any more.
    #[error("the call does not ring")]
    NotRinging,
    /// It rings still, or is held already, or is not held.
    #[error("the call is in another state")]
    WrongState,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Talk {
    pub(crate) call: CallId,
    pub(crate) state: CallState,
    pub(crate) outgoing: bool,
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) since: Timestamp,
}

/// A phone.
#[derive(Debug, Default)]
pub(crate) struct Phone {
    calls: BTreeMap<Line, Talk>,
    /// Calls that the user dialled and whose legs have not come yet.
    dialled: BTreeMap<CallId, String>,
    /// The last lines that the user ended: their calls may not have heard of it.
    hung_up: VecDeque<Line>,
    transfer_failed: Option<u16>,
}

impl Phone {
    pub(crate) fn calls(&self) -> impl Iterator<Item = (Line, &Talk)> {
        self.calls.iter().map(|(line, talk)| (*line, talk))
    }

    pub(crate) const fn transfer_failed(&self) -> Option<u16> {
        self.transfer_failed
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }

    /// Decides.
    ///
    /// # Errors
    /// Why nothing is done.
    pub(crate) fn step(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refused> {
        let mut out = Vec::new();
        match input {
            Input::Invited { line, call, number, name } => {
                self.invited(now, line, call, (number, name), &mut out);
            }
            Input::Dialled { call, number } => {
                self.dialled.insert(call, number);
            }
            Input::Pressed(press) => self.pressed(now, press, &mut out)?,
            Input::Returned { line, talk } => self.returned(now, line, talk, &mut out),
            Input::Ended(line) => self.forget(line, &mut out),
            Input::Transferred { status } => self.transfer_failed = Some(status),
        }
        Ok(out)
    }

    fn invited(
        &mut self,
        now: Timestamp,
        line: Line,
        call: CallId,
        (number, name): (String, String),
        out: &mut Vec<Effect>,
    ) {
        let dialled = self.dialled.remove(&call);
        let outgoing = dialled.is_some();
        let (number, name) = match dialled {
            Some(dialled) => (dialled, String::new()),
            None => (number, name),
        };
        let state = CallState::Ringing;
        self.calls.insert(line, Talk { call, state, outgoing, number, name, since: now });
        if outgoing {
            self.take(now, line, out);
        } else {
            out.push(Effect::Ring(line));
        }
    }

    fn returned(&mut self, now: Timestamp, line: Line, talk: Talk, out: &mut Vec<Effect>) {
        if self.hung_up.contains(&line) {
            out.push(Effect::End { line, declined: false });
            return out.push(Effect::Forget(line));
        }
        let known = self.calls.get(&line).filter(|known| known.state != CallState::Ringing);
        let state = known.map_or(talk.state, |known| known.state);
        if known.is_none() {
            self.calls.insert(line, talk);
        }
        out.push(Effect::Rejoin { line, held: state == CallState::Held });
        if state == CallState::Up {
            self.hold_others(now, line, out);
            out.push(Effect::Talk(Some(line)));
        }
    }

    fn pressed(
        &mut self,
        now: Timestamp,
        press: Press,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        match press {
            Press::Answer { line } => {
                self.in_state(line, CallState::Ringing)?;
                self.take(now, line, out);
            }
            Press::Decline { line } => {
                self.in_state(line, CallState::Ringing)?;
                out.push(Effect::End { line, declined: true });
                self.forget(line, out);
            }
            Press::HangUp { line } => {
                self.talk(line)?;
                out.push(Effect::End { line, declined: false });
                self.hung_up.push_back(line);
                if self.hung_up.len() > REMEMBERED {
                    self.hung_up.pop_front();
                }
                self.forget(line, out);
            }
            Press::Hold { line } => {
                self.in_state(line, CallState::Up)?;
                self.hold(now, line, out);
                out.push(Effect::Talk(None));
            }
            Press::Resume { line } => {
                self.in_state(line, CallState::Held)?;
                self.hold_others(now, line, out);
                self.set(now, line, CallState::Up);
                out.push(Effect::Offer { line, held: false });
                out.push(Effect::Talk(Some(line)));
            }
            Press::Transfer { line, to } => {
                self.answered(line)?;
                self.transfer_failed = None;
                out.push(Effect::Refer { line, to, replaces: None });
            }
            Press::Join { line, with } => {
                self.answered(line)?;
                let to = self.answered(with)?.number.clone();
                if line == with {
                    return Err(Refused::WrongState);
                }
                self.transfer_failed = None;
                out.push(Effect::Refer { line, to, replaces: Some(with) });
            }
            Press::Merge { line, with } => {
                self.answered(line)?;
                self.answered(with)?;
                if line == with {
                    return Err(Refused::WrongState);
                }
                self.transfer_failed = None;
                self.merge(now, line.min(with), line.max(with), out);
            }
        }
        Ok(())
    }

    /// The call that came first goes on: it is the customer's, the other one was asked about it.
    fn merge(&mut self, now: Timestamp, line: Line, with: Line, out: &mut Vec<Effect>) {
        self.hold_others(now, line, out);
        if self.in_state(line, CallState::Held).is_ok() {
            self.set(now, line, CallState::Up);
            out.push(Effect::Offer { line, held: false });
        }
        out.push(Effect::Talk(Some(line)));
        out.push(Effect::Merge { line, with });
    }

    /// Answers, and holds whoever is talked with.
    fn take(&mut self, now: Timestamp, line: Line, out: &mut Vec<Effect>) {
        self.hold_others(now, line, out);
        self.set(now, line, CallState::Up);
        out.push(Effect::Answer(line));
        out.push(Effect::Talk(Some(line)));
    }

    fn hold_others(&mut self, now: Timestamp, line: Line, out: &mut Vec<Effect>) {
        let up = |(other, talk): (&Line, &Talk)| {
            (*other != line && talk.state == CallState::Up).then_some(*other)
        };
        let others: Vec<Line> = self.calls.iter().filter_map(up).collect();
        for other in others {
            self.hold(now, other, out);
        }
    }

    fn hold(&mut self, now: Timestamp, line: Line, out: &mut Vec<Effect>) {
        self.set(now, line, CallState::Held);
        out.push(Effect::Offer { line, held: true });
    }

    fn forget(&mut self, line: Line, out: &mut Vec<Effect>) {
        let Some(talk) = self.calls.remove(&line) else { return };
        if talk.state == CallState::Up {
            out.push(Effect::Talk(None));
        }
        out.push(Effect::Forget(line));
    }

    fn set(&mut self, now: Timestamp, line: Line, state: CallState) {
        if let Some(talk) = self.calls.get_mut(&line) {
            talk.state = state;
            talk.since = now;
        }
    }

    fn talk(&self, line: Line) -> Result<&Talk, Refused> {
        self.calls.get(&line).ok_or(Refused::NoCall(line))
    }

    fn answered(&self, line: Line) -> Result<&Talk, Refused> {
        match self.talk(line)? {
            talk if talk.state == CallState::Ringing => Err(Refused::WrongState),
            talk => Ok(talk),
        }
    }

    fn in_state(&self, line: Line, state: CallState) -> Result<(), Refused> {
        match self.talk(line)?.state {
            actual if actual == state => Ok(()),
            _ if state == CallState::Ringing => Err(Refused::NotRinging),
            _ => Err(Refused::WrongState),
        }
    }
}
