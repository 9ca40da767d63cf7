//! Who may do what: one table, asked once for each request, on every transport.

use tandem_config::resource::Role;

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// To see the configuration, without secrets.
    ConfigRead,
    /// To change the configuration.
    ConfigWrite,
    /// To see users and tokens, without secrets.
    AccountsRead,
    /// To make, change and delete users and tokens.
    AccountsWrite,
    /// To see live calls.
    CallsRead,
    /// To begin a call for an extension.
    CallsOriginate,
    /// To name outbound codes and to see what they were used for (O-008).
    CodesDescribe,
    /// To end, hold, resume and transfer calls.
    CallsControl,
    /// To listen to the calls of others, whisper and barge in.
    CallsMonitor,
    /// To see the signalling of a call.
    CallsTrace,
    /// To see agents.
    AgentsRead,
    /// To log agents in and out, to pause and resume them.
    AgentsControl,
    /// To see queues at work.
    QueuesRead,
    /// To take callbacks out of queues.
    QueuesControl,
    /// To see who has left a queue, as far as the queue's permissions go.
    QueueLogRead,
    /// To say how far missed calls are processed, and to delete them.
    QueueLogWrite,
    /// To see the records of ended calls.
    RecordsRead,
    /// To read the notes on calls.
    NotesRead,
    /// To write notes on calls.
    NotesWrite,
    /// To see wallboards.
    WallboardsRead,
    /// To arrange wallboards.
    WallboardsWrite,
    /// To look at contacts.
    ContactsRead,
    /// To add, change and delete contacts.
    ContactsWrite,
    /// To see and hear the messages of mailboxes.
    VoicemailRead,
    /// To mark messages as heard and to throw them away.
    VoicemailWrite,
    /// To follow the events.
    EventsRead,
    /// To see the metrics.
    MetricsRead,
    /// To see who has changed what.
    AuditRead,
    /// To take a backup, with everybody's passwords.
    BackupRead,
    /// To look at and close the own session.
    Session,
}

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Not at all.
    Nothing,
    /// For what belongs to the own extension.
    Own,
    /// For everything.
    All,
}

impl Permission {
    /// The permission as clients know it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigRead => "config:read",
            Self::ConfigWrite => "config:write",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::CallsRead => "calls:read",
            Self::CallsOriginate => "calls:originate",
            Self::CodesDescribe => "outbound-codes:describe",
            Self::CallsControl => "calls:control",
            Self::CallsMonitor => "calls:monitor",
            Self::CallsTrace => "calls:trace",
            Self::AgentsRead => "agents:read",
            Self::AgentsControl => "agents:control",
            Self::QueuesRead => "queues:read",
            Self::QueuesControl => "queues:control",
            Self::QueueLogRead => "queue-log:read",
            Self::QueueLogWrite => "queue-log:write",
            Self::RecordsRead => "records:read",
            Self::NotesRead => "notes:read",
            Self::NotesWrite => "notes:write",
            Self::WallboardsRead => "wallboards:read",
            Self::WallboardsWrite => "wallboards:write",
            Self::ContactsRead => "contacts:read",
            Self::ContactsWrite => "contacts:write",
            Self::VoicemailRead => "voicemail:read",
            Self::VoicemailWrite => "voicemail:write",
            Self::EventsRead => "events:read",
            Self::MetricsRead => "metrics:read",
            Self::AuditRead => "audit:read",
            Self::BackupRead => "backup:read",
            Self::Session => "session:own",
        }
    }
}

/// How far a role may go.
pub(crate) const fn authorize(role: Role, permission: Permission) -> Scope {
    use Permission as P;
    match (role, permission) {
        (Role::Admin, _) | (_, P::Session) => Scope::All,
        (
            Role::Manager,
            P::ConfigRead
            | P::CallsRead
            | P::CallsOriginate
            | P::CodesDescribe
            | P::CallsControl
            | P::CallsMonitor
            | P::CallsTrace
            | P::AgentsRead
            | P::AgentsControl
            | P::QueuesRead
            | P::QueuesControl
            | P::QueueLogRead
            | P::QueueLogWrite
            | P::RecordsRead
            | P::NotesRead
            | P::NotesWrite
            | P::WallboardsRead
            | P::WallboardsWrite
            | P::ContactsRead
            | P::ContactsWrite
            | P::EventsRead
            | P::MetricsRead,
        ) => Scope::All,
        (Role::Agent, P::ContactsRead) => Scope::All,
        (Role::Wallboard, P::QueuesRead | P::AgentsRead | P::WallboardsRead) => Scope::All,
        // The connection, with pictures of what it may see; no facts, it has no extension.
        (Role::Wallboard, P::EventsRead) => Scope::Own,
        (Role::Wallboard, _) => Scope::Nothing,
        // What callers said is for those it was said to.
        (Role::Manager | Role::Agent, P::VoicemailRead | P::VoicemailWrite) => Scope::Own,
        (Role::Manager | Role::Agent, P::BackupRead) => Scope::Nothing,
        (Role::Manager, P::ConfigWrite | P::AccountsRead | P::AccountsWrite | P::AuditRead) => {
            Scope::Nothing
        }
        (
            Role::Agent,
            P::CallsRead
            | P::CallsOriginate
            | P::CallsControl
            | P::AgentsRead
            | P::AgentsControl
            | P::QueuesRead
            | P::QueueLogRead
            | P::QueueLogWrite
            | P::RecordsRead
            | P::NotesRead
            | P::NotesWrite
            | P::EventsRead,
        ) => Scope::Own,
        (
            Role::Agent,
            P::ConfigRead
            | P::ConfigWrite
            | P::AccountsRead
            | P::AccountsWrite
            | P::CallsMonitor
            | P::CallsTrace
            | P::AuditRead
            | P::CodesDescribe
            | P::QueuesControl
            | P::WallboardsRead
            | P::WallboardsWrite
            | P::ContactsWrite
            | P::MetricsRead,
        ) => Scope::Nothing,
    }
}
