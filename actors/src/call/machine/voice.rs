//! What a waiting caller hears: the join announcement, then the waiting audio with the queue's
//! announcement and the caller's place in between. An answer ends all of it
//! then both sides may hear the agent's number.

use std::time::Duration;

use tandem_kernel::Timestamp;

use super::effect::{Effect, QueueAct, Sound};
use super::facts::Facts;
use super::types::{Input, LegIndex, Player, TimerId};
use crate::flow::{Clip, Survey, SurveyWords};

/// How long the queue may take to tell a caller's place; then nothing is said this time.
const PLACE_WITHIN: Duration = Duration::from_secs(2);
/// What falls due within this time falls due together.
const TOGETHER: Duration = Duration::from_secs(1);
/// A wait below this is not told.
const SHORTEST_TOLD: Duration = Duration::from_secs(60);

/// What a queue says to those who wait: names of prompts in the library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcements {
    /// Once, when the caller joins.
    pub join: Option<String>,
    /// Again and again, and how long from its end to its next beginning.
    pub periodic: Option<(String, Duration)>,
    /// The caller's place, as often as the queue wants.
    pub place: Option<PlaceWords>,
    /// To the agent who has answered, before the caller is put through.
    pub to_agent: Option<String>,
    /// Both sides are told the agent's number, by prompts of this language.
    pub introduction: Option<String>,
    /// What callers are asked when the agent has hung up.
    pub survey: Option<SurveyWords>,
}

/// What a caller is told of the wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceWords {
    /// The folder of the prompts in the library.
    pub language: String,
    /// How many wait ahead.
    pub position: bool,
    /// How long it will take.
    pub estimate: bool,
    /// Thanks for the patience.
    pub thanks: bool,
    /// From the end of it to its next beginning.
    pub interval: Duration,
}

impl PlaceWords {
    /// The prompts to play, one after the other.
    fn clips(&self, ahead: u32, wait: Option<Duration>) -> Vec<Clip> {
        let mut words = Vec::new();
        if self.position && ahead == 0 {
            words.push("queue-next".to_owned());
        } else if self.position {
            words.push("queue-position".to_owned());
            words.extend(digits(u64::from(ahead)));
        }
        if self.estimate
            && let Some(wait) = wait.filter(|wait| *wait >= SHORTEST_TOLD)
        {
            words.push("queue-wait".to_owned());
            words.extend(digits((wait.as_secs() + 30) / 60));
        }
        if self.thanks {
            words.push("queue-thanks".to_owned());
        }
        let clip = |word| Clip::File(format!("{}/{word}", self.language));
        words.into_iter().map(clip).collect()
    }
}

/// A number, digit by digit.
fn digits(number: u64) -> impl Iterator<Item = String> {
    number.to_string().chars().map(String::from).collect::<Vec<_>>().into_iter()
}

/// What is being said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    Join,
    Place,
    Periodic,
    Offer,
}

/// When something that is said again and again is said next.
#[derive(Clone, Copy, Debug, Default)]
enum Due {
    /// It is being said, or never is.
    #[default]
    Never,
    At(TimerId, Timestamp),
    /// As soon as nothing else is said.
    Now,
}

impl Due {
    fn is(self, timer: TimerId) -> bool {
        matches!(self, Self::At(own, _) if own == timer)
    }
}

/// The voice of a queue in the ear of one caller.
#[derive(Debug)]
pub(super) struct Voice {
    caller: LegIndex,
    queue: String,
    /// None until the queue has taken the caller in.
    words: Option<Announcements>,
    /// The prompt that is being played.
    speaks: Option<(Player, Saying)>,
    /// The queue was asked for the caller's place; it answers until this timer.
    asked: Option<TimerId>,
    place: Due,
    periodic: Due,
    greeted: bool,
}

impl Voice {
    /// The waiting audio, until the queue has more to say.
    pub(super) fn begin(
        facts: &mut Facts,
        caller: LegIndex,
        queue: String,
        out: &mut Vec<Effect>,
    ) -> Self {
        facts.let_hear(caller, Sound::Waiting { queue: queue.clone() }, out);
        Self {
            caller,
            queue,
            words: None,
            speaks: None,
            asked: None,
            place: Due::Never,
            periodic: Due::Never,
            greeted: false,
        }
    }

    /// The waiting audio of a caller who has been greeted already.
    pub(super) fn again(
        facts: &mut Facts,
        caller: LegIndex,
        queue: String,
        out: &mut Vec<Effect>,
    ) -> Self {
        Self { greeted: true, ..Self::begin(facts, caller, queue, out) }
    }

    pub(super) const fn has_no_words(&self) -> bool {
        self.words.is_none()
    }

    /// What the agent hears who has answered, before the caller.
    pub(super) fn to_agent(&self) -> Option<String> {
        self.words.as_ref()?.to_agent.clone()
    }

    /// What is said to both sides when an agent has answered.
    pub(super) fn introduction(&self, agent: &str) -> Option<Vec<Clip>> {
        let language = self.words.as_ref()?.introduction.as_ref()?;
        let words = std::iter::once("agent-number".to_owned());
        let words = words.chain(agent.chars().map(String::from));
        Some(words.map(|word| Clip::File(format!("{language}/{word}"))).collect())
    }

    /// What the caller is asked when this agent has hung up.
    pub(super) fn survey(&self, agent: &str) -> Option<Survey> {
        let words = self.words.as_ref()?.survey.clone()?;
        Some(Survey::new(&self.queue, agent, words))
    }

    /// True once: when the caller has heard the join announcement, or there is none.
    pub(super) fn input(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> bool {
        match input {
            Input::Announce(words) => return self.announce(facts, now, words, out),
            Input::Played(player) => {
                let Some((_, said)) = self.speaks.filter(|(own, _)| *own == player) else {
                    return false;
                };
                return self.said(facts, now, said, out);
            }
            // It came while a callback was offered: the caller hears it next.
            Input::Place { .. } if self.speaks.is_some() && self.asked.take().is_some() => {
                self.place = Due::Now;
            }
            Input::Place { ahead, wait } if self.asked.take().is_some() => {
                self.say_place(facts, now, ahead, wait, out);
            }
            Input::Timer(timer) => self.timer(facts, now, timer, out),
            // The end of a sound or a pause that is over.
            _ => {}
        }
        false
    }

    /// The first words begin; later ones count from the next announcement on.
    fn announce(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        words: Announcements,
        out: &mut Vec<Effect>,
    ) -> bool {
        let join = words.join.clone().filter(|_| !self.greeted);
        if self.words.replace(words).is_some() {
            return false;
        }
        let Some(file) = join else {
            self.arm_place(facts, now, out);
            self.arm_periodic(facts, now, out);
            return !std::mem::replace(&mut self.greeted, true);
        };
        self.say(facts, Sound::Prompt { file }, Saying::Join, out);
        false
    }

    fn say(&mut self, facts: &mut Facts, sound: Sound, what: Saying, out: &mut Vec<Effect>) {
        self.speaks = Some((facts.let_hear(self.caller, sound, out), what));
    }

    /// Something was said to its end: what came due meanwhile is next, else the waiting audio.
    fn said(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        said: Saying,
        out: &mut Vec<Effect>,
    ) -> bool {
        self.speaks = None;
        // What an offer cut off is armed anew with it.
        if said == Saying::Place || matches!(self.place, Due::Never) {
            self.arm_place(facts, now, out);
        }
        if said == Saying::Periodic || matches!(self.periodic, Due::Never) {
            self.arm_periodic(facts, now, out);
        }
        self.go_on(facts, out);
        if self.speaks.is_none() {
            facts.let_hear(self.caller, Sound::Waiting { queue: self.queue.clone() }, out);
        }
        matches!(said, Saying::Join | Saying::Offer) && !std::mem::replace(&mut self.greeted, true)
    }

    fn timer(&mut self, facts: &mut Facts, now: Timestamp, timer: TimerId, out: &mut Vec<Effect>) {
        if self.asked == Some(timer) {
            self.asked = None;
            self.arm_place(facts, now, out);
        } else if self.place.is(timer) {
            self.place = Due::Now;
        } else if self.periodic.is(timer) {
            self.periodic = Due::Now;
            // of what falls due together, the place comes first.
            if matches!(self.place, Due::At(_, at) if at <= now + TOGETHER) {
                return;
            }
        }
        self.go_on(facts, out);
    }

    /// An offer that the caller may answer by a key. It cuts off what was being said.
    pub(super) fn offer(&mut self, facts: &mut Facts, file: &str, out: &mut Vec<Effect>) {
        let sound = Sound::Prompt { file: file.to_owned() };
        self.say(facts, sound, Saying::Offer, out);
    }

    /// The waiting audio after something else, with what is said again and again in its time. True
    /// as for [`Voice::input`].
    pub(super) fn resume(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> bool {
        (self.speaks, self.asked) = (None, None);
        self.arm_place(facts, now, out);
        self.arm_periodic(facts, now, out);
        facts.let_hear(self.caller, Sound::Waiting { queue: self.queue.clone() }, out);
        !std::mem::replace(&mut self.greeted, true)
    }

    /// Says what is due, one at a time.
    fn go_on(&mut self, facts: &mut Facts, out: &mut Vec<Effect>) {
        if self.speaks.is_some() || self.asked.is_some() {
            return;
        }
        if matches!(self.place, Due::Now) {
            self.place = Due::Never;
            let timer = facts.fresh_timer();
            self.asked = Some(timer);
            out.push(Effect::Queue(self.queue.clone(), QueueAct::Place));
            out.push(Effect::Arm(timer, PLACE_WITHIN));
        } else if matches!(self.periodic, Due::Now) {
            self.periodic = Due::Never;
            let periodic = self.words.as_ref().and_then(|words| words.periodic.as_ref());
            if let Some((file, _)) = periodic {
                let sound = Sound::Prompt { file: file.clone() };
                self.say(facts, sound, Saying::Periodic, out);
            }
        }
    }

    fn say_place(
        &mut self,
        facts: &mut Facts,
        now: Timestamp,
        ahead: u32,
        wait: Option<Duration>,
        out: &mut Vec<Effect>,
    ) {
        let words = self.words.as_ref().and_then(|words| words.place.as_ref());
        let clips = words.map(|words| words.clips(ahead, wait)).unwrap_or_default();
        if clips.is_empty() {
            self.arm_place(facts, now, out);
            return self.go_on(facts, out);
        }
        self.say(facts, Sound::Clips(clips), Saying::Place, out);
    }

    fn arm_place(&mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        let words = self.words.as_ref().and_then(|words| words.place.as_ref());
        self.place = next(facts, now, words.map(|words| words.interval), out);
    }

    fn arm_periodic(&mut self, facts: &mut Facts, now: Timestamp, out: &mut Vec<Effect>) {
        let words = self.words.as_ref().and_then(|words| words.periodic.as_ref());
        self.periodic = next(facts, now, words.map(|(_, interval)| *interval), out);
    }
}

fn next(
    facts: &mut Facts,
    now: Timestamp,
    interval: Option<Duration>,
    out: &mut Vec<Effect>,
) -> Due {
    let Some(interval) = interval else { return Due::Never };
    let timer = facts.fresh_timer();
    out.push(Effect::Arm(timer, interval));
    Due::At(timer, now + interval)
}
