//! Provisioned resources. One type serves for reading and writing; write-only fields are never
//! written out.

mod access;
mod callback;
mod console;
mod contact;
mod flow;
mod hours;
mod letter;
mod outbound;
mod queue;
mod rights;
mod routing;
mod telephony;
mod wallboard;

pub use access::{ApiToken, ApiTokenCreated, Role, User};
pub use callback::{CallbackMode, CallbackPolicy, CallbackTarget, DidScope};
pub use console::{Console, QueueGroup};
pub use contact::{Contact, ContactMatch};
pub use flow::{
    CallFlow, Conditions, ExtensionVoicemail, FlowAction, FlowStep, GroupStrategy, GroupVoicemail,
    Hours, Ivr, MailboxOptions, RingGroup,
};
pub use hours::{Holiday, OfficeHours, TimeCondition, TimeProfile};
pub use letter::{DefaultLetter, LetterKind, LetterPreview, LetterTemplate, Letters};
pub use outbound::{
    ChannelCategory, DialAction, DialConditions, DialHours, DialStep, OnUnrouted, OutboundCode,
    OutboundPolicy,
};
pub use queue::{
    AgentOptions, AutoPause, CallbackMethod, CallbackOptions, EmptyRule, EmptyScenario, Member,
    Members, Membership, PromptOptions, Queue, RingStrategy, SavedQueue, Warning,
};
pub use rights::{
    AgentRight, AgentRights, CallLogRight, CallLogScope, ManagerRight, ManagerRights,
    QueuePermissions,
};
pub use routing::{
    DialRule, InboundRoute, NumberRange, OutboundRoute, ResultSync, Settings, TestNumbers,
};
pub use telephony::{
    Destination, DtmfMode, Encryption, Extension, Transport, Trunk, TrunkAuth, TrunkMode,
};
pub use wallboard::{Figure, Tile, Wallboard};

fn yes() -> bool {
    true
}

/// For write-only fields: `skip_serializing` would take them out of the document as well.
fn always<T>(_: &T) -> bool {
    true
}
