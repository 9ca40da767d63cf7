//! The provisioned resources. Their JSON form is both the HTTP body and what the journal keeps,
//! so fields may be added with a default and are never renamed.

mod access;
mod callback;
mod console;
mod contact;
mod flow;
mod hours;
pub mod letter;
mod outbound;
mod queue;
mod rights;
mod routing;
mod telephony;
#[cfg(test)]
mod tests;
mod validate;
mod wallboard;

pub use access::{ApiToken, Role, User};
pub use callback::{CallbackMode, CallbackPolicy, CallbackTarget, DidScope};
pub use console::{Console, QueueGroup};
pub use contact::{Contact, ContactMatch};
pub use flow::{
    CallFlow, Conditions, ExtensionVoicemail, FlowAction, FlowStep, GroupStrategy, GroupVoicemail,
    Ivr, MailboxOptions, RingGroup,
};
pub use hours::{Diversion, Holiday, Hours, OfficeHours, TimeCondition, TimeProfile};
pub use outbound::{
    ChannelCategory, DialAction, DialConditions, DialHours, DialStep, OnUnrouted, OutboundCode,
    OutboundPolicy, shows,
};
pub use queue::{
    AgentOptions, AutoPause, CallbackMethod, CallbackOptions, EmptyRule, EmptyScenario, Member,
    Membership, Notifications, PromptOptions, Queue, RingStrategy, SlaOptions, SurveyOptions,
};
pub use rights::{
    AgentRight, AgentRights, CallLogRight, CallLogScope, Grants, ManagerRight, ManagerRights,
    QueuePermissions,
};
pub use routing::{
    DialRule, InboundRoute, NumberRange, OutboundRoute, Parking, ResultSync, Settings, TestNumbers,
};
pub use telephony::{
    Destination, DtmfMode, Encryption, Extension, Transport, Trunk, TrunkAuth, TrunkMode,
};
pub use validate::FieldError;
pub use wallboard::{COLUMNS, Figure, ROWS, Tile, Wallboard};

use serde::{Deserialize, Serialize};

/// The kinds of resource. The text is the last part of the API path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A telephone of the house and its credentials.
    Extension,
    /// A line to another telephone system.
    Trunk,
    /// Where calls from trunks go.
    InboundRoute,
    /// Which trunk a dialled number takes.
    OutboundRoute,
    /// A call queue.
    Queue,
    /// A person who signs in.
    User,
    /// A bearer token for programs.
    ApiToken,
    /// The one object of system-wide options; its key is `system`.
    Settings,
    /// Extensions that ring together.
    RingGroup,
    /// A menu.
    Ivr,
    /// Ordered steps with conditions.
    CallFlow,
    /// A mailbox of several extensions.
    GroupVoicemail,
    /// A code that picks the line of an outside call.
    OutboundCode,
    /// What leads codes to a route.
    ChannelCategory,
    /// Office hours and holidays of a time zone.
    TimeProfile,
    /// Figures on a screen that a whole room sees.
    Wallboard,
    /// A name for the numbers of a caller.
    Contact,
    /// What a user has arranged for themselves in the panel.
    Console,
}

impl Kind {
    /// All kinds, in the order in which they may refer to each other.
    pub const ALL: [Self; 18] = [
        Self::Settings,
        Self::TimeProfile,
        Self::Extension,
        Self::Trunk,
        Self::RingGroup,
        Self::GroupVoicemail,
        Self::Ivr,
        Self::CallFlow,
        Self::Queue,
        Self::InboundRoute,
        Self::OutboundRoute,
        Self::ChannelCategory,
        Self::OutboundCode,
        Self::User,
        Self::ApiToken,
        Self::Wallboard,
        Self::Contact,
        Self::Console,
    ];

    /// The word used in journal entities and problem details.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Trunk => "trunk",
            Self::InboundRoute => "inbound-route",
            Self::OutboundRoute => "outbound-route",
            Self::Queue => "queue",
            Self::User => "user",
            Self::ApiToken => "api-token",
            Self::Settings => "settings",
            Self::RingGroup => "ring-group",
            Self::Ivr => "ivr",
            Self::CallFlow => "call-flow",
            Self::GroupVoicemail => "group-voicemail",
            Self::OutboundCode => "outbound-code",
            Self::ChannelCategory => "channel-category",
            Self::TimeProfile => "time-profile",
            Self::Wallboard => "wallboard",
            Self::Contact => "contact",
            Self::Console => "console",
        }
    }
}

/// One provisioned resource of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Resource {
    /// See [`Extension`].
    Extension(Extension),
    /// See [`Trunk`].
    Trunk(Trunk),
    /// See [`InboundRoute`].
    InboundRoute(InboundRoute),
    /// See [`OutboundRoute`].
    OutboundRoute(OutboundRoute),
    /// See [`Queue`].
    Queue(Queue),
    /// See [`User`].
    User(User),
    /// See [`ApiToken`].
    ApiToken(ApiToken),
    /// See [`Settings`].
    Settings(Settings),
    /// See [`RingGroup`].
    RingGroup(RingGroup),
    /// See [`Ivr`].
    Ivr(Ivr),
    /// See [`CallFlow`].
    CallFlow(CallFlow),
    /// See [`GroupVoicemail`].
    GroupVoicemail(GroupVoicemail),
    /// See [`OutboundCode`].
    OutboundCode(OutboundCode),
    /// See [`ChannelCategory`].
    ChannelCategory(ChannelCategory),
    /// See [`TimeProfile`].
    TimeProfile(TimeProfile),
    /// See [`Wallboard`].
    Wallboard(Wallboard),
    /// See [`Contact`].
    Contact(Contact),
    /// See [`Console`].
    Console(Console),
}

impl Resource {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Extension(_) => Kind::Extension,
            Self::Trunk(_) => Kind::Trunk,
            Self::InboundRoute(_) => Kind::InboundRoute,
            Self::OutboundRoute(_) => Kind::OutboundRoute,
            Self::Queue(_) => Kind::Queue,
            Self::User(_) => Kind::User,
            Self::ApiToken(_) => Kind::ApiToken,
            Self::Settings(_) => Kind::Settings,
            Self::RingGroup(_) => Kind::RingGroup,
            Self::Ivr(_) => Kind::Ivr,
            Self::CallFlow(_) => Kind::CallFlow,
            Self::GroupVoicemail(_) => Kind::GroupVoicemail,
            Self::OutboundCode(_) => Kind::OutboundCode,
            Self::ChannelCategory(_) => Kind::ChannelCategory,
            Self::TimeProfile(_) => Kind::TimeProfile,
            Self::Wallboard(_) => Kind::Wallboard,
            Self::Contact(_) => Kind::Contact,
            Self::Console(_) => Kind::Console,
        }
    }

    /// What it is found by among its kind; never changes (Q-022 for queues).
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Extension(extension) => &extension.number,
            Self::Trunk(trunk) => &trunk.name,
            Self::InboundRoute(route) => &route.name,
            Self::OutboundRoute(route) => &route.name,
            Self::Queue(queue) => &queue.number,
            Self::User(user) => &user.name,
            Self::ApiToken(token) => &token.id,
            Self::Settings(_) => "system",
            Self::RingGroup(group) => &group.number,
            Self::Ivr(ivr) => &ivr.number,
            Self::CallFlow(flow) => &flow.number,
            Self::GroupVoicemail(voicemail) => &voicemail.number,
            Self::OutboundCode(code) => &code.id,
            Self::ChannelCategory(category) => &category.name,
            Self::TimeProfile(profile) => &profile.name,
            Self::Wallboard(wallboard) => &wallboard.name,
            Self::Contact(contact) => &contact.id,
            Self::Console(console) => &console.name,
        }
    }
}
