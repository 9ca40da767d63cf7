//! All provisioned resources at one moment. Immutable: a change makes a new one.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use tandem_config::resource::{
    ApiToken, Extension, InboundRoute, OutboundRoute, Queue, Settings, Trunk, User,
};
use tandem_config::{Kind, Resource};
use tandem_kernel::Timestamp;

use crate::event::ResourceEvent;
use crate::office::Stored;

/// The resources by kind and key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    resources: BTreeMap<Kind, BTreeMap<String, Arc<Stored>>>,
    settings: Settings,
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
        /// An inbound route by its name.
        inbound_route, /// All inbound routes.
        inbound_routes: InboundRoute;
        /// An outbound route by its name.
        outbound_route, /// All outbound routes.
        outbound_routes: OutboundRoute;
        /// A user by the sign-in name.
        user, /// All users.
        users: User;
        /// A token by its public id.
        api_token, /// All tokens.
        api_tokens: ApiToken;
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
        self.resources.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// At most `limit` of a kind whose keys come after `after`.
    #[must_use]
    pub fn page(&self, kind: Kind, after: Option<&str>, limit: usize) -> Vec<Arc<Stored>> {
        let from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_owned()));
        let Some(resources) = self.resources.get(&kind) else { return Vec::new() };
        let page = resources.range((from, Bound::Unbounded)).take(limit);
        page.map(|(_, stored)| stored.clone()).collect()
    }

    /// True when nothing was ever provisioned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.values().all(BTreeMap::is_empty)
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
            self.settings = settings.clone();
        }
        let kind = stored.resource.kind();
        let key = stored.resource.key().to_owned();
        self.resources.entry(kind).or_default().insert(key, Arc::new(stored));
    }

    fn remove(&mut self, kind: Kind, key: &str) {
        if kind == Kind::Settings {
            self.settings = Settings::default();
        }
        if let Some(resources) = self.resources.get_mut(&kind) {
            resources.remove(key);
        }
    }
}
