//! Conversations with one caller: what is played, which keys mean what, where the call goes.
//!
//! | Script          | Owner     | Requirement                                   |
//! |-----------------|-----------|-----------------------------------------------|
//! | A menu          | [`menu`]  | Q-026 `ivr`                                   |
//! | A call flow     | [`steps`] | Q-026 `call_flow`                             |
//! | Leave a message | [`leave`] | Q-026 `ext_vm`, `group_vm`                    |
//! | Hear messages   | [`listen`]| the mailbox by phone                          |
//! | What it was like| [`survey`]  | Q-250 to Q-256                                |
//! | A number to call| [`register`] | Q-147, run by the queue's part of the call |
//!
//! A script is a value: a cue goes in, acts come out. It knows no leg, no file and no clock; the
//! call's machine runs it on a leg (`call::machine::script`).

mod leave;
mod listen;
mod menu;
mod register;
mod steps;
mod survey;
#[cfg(test)]
mod tests;

pub use leave::Leave;
pub use listen::{Listen, Message, Pin};
pub use menu::Menu;
pub use register::{Register, Registered, Said};
pub use steps::Steps;
pub use survey::{Survey, SurveyWords};

use std::time::Duration;

use tandem_config::resource::Destination;

/// What happens to a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cue {
    /// The caller is there.
    Begin,
    /// The caller pressed a key.
    Digit(char),
    /// What was played last has ended.
    Played,
    /// What was waited for last did not come.
    TimedOut,
    /// The answer to [`Act::LookUp`].
    LookedUp {
        /// The digits are an extension's number.
        is_extension: bool,
        /// More digits could lead to one.
        is_open: bool,
    },
    /// The message that was recorded is kept, durably, or could not be.
    Saved(Saved),
    /// The change of a message is kept, or could not be.
    Changed(bool),
}

/// What became of a recorded message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It will outlive the node.
    Kept,
    /// There was nothing to keep.
    TooShort,
    /// It could not be written.
    Failed,
}

/// A part of what is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clip {
    /// A prompt by its name in the library; one without a folder is of the system's language.
    File(String),
    /// A number, digit by digit.
    Digits(u32),
    /// A tone of so many hertz and milliseconds.
    Tone(u16, u32),
    /// A message of a mailbox.
    Message {
        /// The mailbox.
        mailbox: String,
        /// The message.
        id: String,
    },
}

impl Clip {
    pub(crate) fn file(name: &str) -> Self {
        Self::File(name.to_owned())
    }
}

/// What is done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageChange {
    /// It was listened to.
    Heard,
    /// It is thrown away.
    Deleted,
}

/// What a script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Plays this in place of what is heard; [`Cue::Played`] when it has ended.
    Play(Vec<Clip>),
    /// Nothing is heard any more.
    Silence,
    /// [`Cue::TimedOut`] comes after this time unless something else is waited for or played.
    Wait(Duration),
    /// Asks what digits are; answered by [`Cue::LookedUp`].
    LookUp(String),
    /// Records the caller for a mailbox, until [`Act::EndRecording`] or the caller's end.
    Record {
        /// The mailbox.
        mailbox: String,
    },
    /// Ends the recording; answered by [`Cue::Saved`].
    EndRecording,
    /// Changes a message; [`MessageChange::Deleted`] is answered by [`Cue::Changed`].
    Change {
        /// The mailbox.
        mailbox: String,
        /// The message.
        id: String,
        /// What is done to it.
        change: MessageChange,
    },
    /// Notes what the caller thinks of the talk.
    Rate {
        /// The queue.
        queue: String,
        /// The agent.
        agent: String,
        /// The key that was pressed.
        key: char,
        /// Its score.
        score: i8,
    },
    /// Notes a step for the record.
    Note(String),
    /// Hands the call on; the script is over.
    Go(Destination),
    /// Ends the call; the script is over.
    HangUp,
}

/// A conversation with a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// A menu.
    Menu(Menu),
    /// A call flow.
    Steps(Steps),
    /// Leaves a message.
    Leave(Leave),
    /// Listens to messages.
    Listen(Listen),
    /// Says what the talk was like.
    Survey(Box<Survey>),
}

impl Script {
    /// Takes a cue and says what is to be done.
    pub fn cue(&mut self, cue: Cue) -> Vec<Act> {
        match self {
            Self::Menu(menu) => menu.cue(cue),
            Self::Steps(steps) => steps.cue(&cue),
            Self::Leave(leave) => leave.cue(&cue),
            Self::Listen(listen) => listen.cue(cue),
            Self::Survey(survey) => survey.cue(&cue),
        }
    }

    /// What it is, for the record.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Menu(_) => "ivr",
            Self::Steps(_) => "call_flow",
            Self::Leave(_) | Self::Listen(_) => "voicemail",
            Self::Survey(_) => "survey",
        }
    }

    /// Its number.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Menu(menu) => menu.number(),
            Self::Steps(steps) => &steps.number,
            Self::Leave(leave) => &leave.mailbox,
            Self::Listen(listen) => &listen.mailbox,
            Self::Survey(survey) => &survey.queue,
        }
    }
}

/// A destination in words, for the record.
#[must_use]
pub fn in_words(destination: &Destination) -> String {
    match destination {
        Destination::EndCall => "hang up".to_owned(),
        Destination::Extension { number } => format!("extension {number}"),
        Destination::Queue { number } => format!("queue {number}"),
        Destination::ExternalNum { .. } => "an outside number".to_owned(),
        Destination::PlayGreeting { prompt, .. } => format!("prompt {prompt}"),
        Destination::ExtVm { number } => format!("voicemail of {number}"),
        Destination::GroupVm { number } => format!("group voicemail {number}"),
        Destination::Ivr { number } => format!("menu {number}"),
        Destination::CallFlow { number } => format!("call flow {number}"),
        Destination::RingGroup { number } => format!("ring group {number}"),
    }
}
