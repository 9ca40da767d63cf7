//! All provisioned resources at one moment. Immutable: a change makes a new one, which shares
//! with the one before all that was not changed, so that a write costs the same among ten
//! thousand resources as among ten.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;
use tandem_config::resource::{
    ApiToken, CallFlow, ChannelCategory, Console, Contact, Extension, GroupVoicemail, InboundRoute,
    Ivr, MailboxOptions, OutboundCode, OutboundRoute, Queue, RingGroup, Settings, TimeProfile,
    Trunk, User, Wallboard,
};
use tandem_config::{Kind, Resource};
use tandem_kernel::Timestamp;

use crate::event::ResourceEvent;
use crate::office::Stored;

use super::contacts::ByNumber;

/// The resources of one kind by key. Cheap to clone.
type Shelf = RedBlackTreeMapSync<String, Arc<Stored>>;

/// The resources by kind and key. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    resources: BTreeMap<Kind, Shelf>,
    settings: Arc<Settings>,
    by_number: ByNumber,
}

macro_rules! typed {
    ($(#[$doc:meta] $one:ident, #[$docs:meta] $all:ident: $type:ident;)*) => {$(
        #[$doc]
        #[must_use]
        pub fn $one(&self, key: &str) -> Option<&$type> {
            match &self.find(Kind::$type, key)?.resource {
                Resource::$type(found) => Some(found),
                _ => None,
            }
        }

        #[$docs]
        pub fn $all(&self) -> impl Iterator<Item = &$type> {
            self.all(Kind::$type).filter_map(|stored| match &stored.resource {
                Resource::$type(found) => Some(found),
                _ => None,
            })
        }
    )*};
}

impl Directory {
    typed! {
        /// An extension by its number.
        extension, /// All extensions.
        extensions: Extension;
        /// A trunk by its name.
        trunk, /// All trunks.
        trunks: Trunk;
        /// A queue by its number.
        queue, /// All queues.
        queues: Queue;
        /// A ring group by its number.
        ring_group, /// All ring groups.
        ring_groups: RingGroup;
        /// A menu by its number.
        ivr, /// All menus.
        ivrs: Ivr;
        /// A call flow by its number.
        call_flow, /// All call flows.
        call_flows: CallFlow;
        /// A group voicemail by its number.
        group_voicemail, /// All group voicemails.
        group_voicemails: GroupVoicemail;
        /// An inbound route by its name.
        inbound_route, /// All inbound routes.
        inbound_routes: InboundRoute;
        /// An outbound route by its name.
        outbound_route, /// All outbound routes.
        outbound_routes: OutboundRoute;
        /// An outbound code by its id.
        outbound_code, /// All outbound codes.
        outbound_codes: OutboundCode;
        /// A channel category by its name.
        channel_category, /// All channel categories.
        channel_categories: ChannelCategory;
        /// A time profile by its name.
        time_profile, /// All time profiles.
        time_profiles: TimeProfile;
        /// A user by the sign-in name.
        user, /// All users.
        users: User;
        /// A token by its public id.
        api_token, /// All tokens.
        api_tokens: ApiToken;
        /// A wallboard by its name.
        wallboard, /// All wallboards.
        wallboards: Wallboard;
        /// A contact by its id.
        contact, /// All contacts.
        contacts: Contact;
        /// What a user has arranged, by the user's name.
        console, /// What all users have arranged.
        consoles: Console;
    }

    /// Whose number a caller's is; of several contacts the one that was changed last.
    #[must_use]
    pub fn contact_of(&self, number: &str) -> Option<&Contact> {
        let rule = self.settings.contact_match;
        let near = self.by_number.near(number).filter_map(|id| self.find(Kind::Contact, id));
        let newest = near.filter_map(|stored| match &stored.resource {
            Resource::Contact(contact) => {
                let is_theirs = contact.numbers.iter().any(|it| rule.is_same(it, number));
                is_theirs.then_some((stored.changed_at, contact))
            }
            _ => None,
        });
        newest.max_by_key(|(changed_at, contact)| (*changed_at, &contact.id)).map(|(_, it)| it)
    }

    /// Whether an extension is an agent of a queue; none: of any.
    #[must_use]
    pub fn is_member(&self, extension: &str, queue: Option<&str>) -> bool {
        let mut asked = self.queues().filter(|it| queue.is_none_or(|queue| it.number == queue));
        asked.any(|queue| queue.members.iter().any(|member| member.extension == extension))
    }

    /// The number that a new queue is proposed: the first of the range of the settings that
    /// nothing has; none: all are taken.
    #[must_use]
    pub fn free_queue_number(&self) -> Option<String> {
        super::references::free_queue_number(self)
    }

    /// The mailbox of a number: an extension's that has voicemail, or a group's.
    #[must_use]
    pub fn mailbox(&self, number: &str) -> Option<&MailboxOptions> {
        let extension = self.extension(number).filter(|it| it.enabled && it.voicemail.enabled);
        let own = extension.map(|extension| &extension.voicemail.mailbox);
        own.or_else(|| self.group_voicemail(number).map(|group| &group.mailbox))
    }

    /// Whether digits are an extension's number, and whether more digits could lead to one.
    #[must_use]
    pub fn dialling(&self, digits: &str) -> (bool, bool) {
        let next = self.page(Kind::Extension, Some(digits), 1);
        let more = next.first().is_some_and(|next| next.resource.key().starts_with(digits));
        (self.extension(digits).is_some(), more)
    }

    /// The system-wide options; the defaults where none were written.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A resource with its revision.
    #[must_use]
    pub fn find(&self, kind: Kind, key: &str) -> Option<&Arc<Stored>> {
        self.resources.get(&kind)?.get(key)
    }

    /// All of a kind in the order of their keys.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Arc<Stored>> {
        self.resources.get(&kind).into_iter().flat_map(Shelf::values)
    }

    /// At most `limit` of a kind whose keys come after `after`.
    #[must_use]
    pub fn page(&self, kind: Kind, after: Option<&str>, limit: usize) -> Vec<Arc<Stored>> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_owned()));
        let Some(resources) = self.resources.get(&kind) else { return Vec::new() };
        let page = resources.range::<String, _>((from, Bound::Unbounded)).take(limit);
        page.map(|(_, stored)| stored.clone()).collect()
    }

    /// True when nothing was ever provisioned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.values().all(Shelf::is_empty)
    }

    /// Takes an event in. A body that this build can not read is left out and said.
    pub(super) fn apply(&mut self, at: Timestamp, version: u64, event: &ResourceEvent) {
        match event {
            ResourceEvent::Put { kind, key, body, .. } => match serde_json::from_str(body) {
                Ok(resource) => self.put(Stored { resource, revision: version, changed_at: at }),
                Err(error) => {
                    tracing::error!(kind = kind.as_str(), %key, %error, "unreadable resource");
                }
            },
            ResourceEvent::Removed { kind, key, .. } => self.remove(*kind, key),
        }
    }

    pub(crate) fn put(&mut self, stored: Stored) {
        if let Resource::Settings(settings) = &stored.resource {
            self.settings = Arc::new(settings.clone());
        }
        let kind = stored.resource.kind();
        let key = stored.resource.key().to_owned();
        self.forget_numbers(kind, &key);
        if let Resource::Contact(contact) = &stored.resource {
            self.by_number.add(contact);
        }
        self.resources.entry(kind).or_default().insert_mut(key, Arc::new(stored));
    }

    fn remove(&mut self, kind: Kind, key: &str) {
        if kind == Kind::Settings {
            self.settings = Arc::default();
        }
        self.forget_numbers(kind, key);
        if let Some(resources) = self.resources.get_mut(&kind) {
            resources.remove_mut(key);
        }
    }

    fn forget_numbers(&mut self, kind: Kind, key: &str) {
        let found = self.resources.get(&kind).and_then(|all| all.get(key)).cloned();
        if let Some(Resource::Contact(contact)) = found.as_deref().map(|it| &it.resource) {
            self.by_number.remove(contact);
        }
    }
}
