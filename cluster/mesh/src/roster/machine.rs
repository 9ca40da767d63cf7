//! The roster as a value: joins, moves, drains, removals. Numbers are never given twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::identity::ClusterId;

/// Whether a member votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has every copy, and no vote.
    Learner,
    /// It counts for the quorum.
    Voter,
}

/// Whether a member takes new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does.
    Up,
    /// An operator drains it; its next start ends that.
    Draining,
    /// It is out. The entry stays, so that its certificate is known and refused.
    Removed,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its number.
    pub node: u64,
    /// Its name.
    pub name: String,
    /// Host and port of its endpoint.
    pub address: String,
    /// SHA-256 of its public key, by which a stolen name is known.
    pub key: [u8; 32],
    /// Whether it votes.
    pub standing: Standing,
    /// Whether it takes new work.
    pub state: State,
    /// The number of its run: a new one means that it was started anew.
    pub boot: u64,
}

/// All members that are or ever were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The cluster.
    pub cluster: ClusterId,
    /// The member that writes the roster.
    pub authority: u64,
    /// Counts changes; the higher one is the newer.
    pub revision: u64,
    /// The next member's number.
    pub next: u64,
    /// By number.
    pub members: BTreeMap<u64, Member>,
}

/// What can happen to it.
#[derive(Clone, Debug)]
pub enum Input {
    /// A node with a good token wants in.
    Join {
        /// Its name.
        name: String,
        /// Its address.
        address: String,
        /// SHA-256 of its public key.
        key: [u8; 32],
    },
    /// A member says where it is, at each start and from time to time.
    Announce {
        /// Its number.
        node: u64,
        /// Its address.
        address: String,
        /// The number of its run.
        boot: u64,
    },
    /// No new work for it.
    Drain(u64),
    /// It gets a vote.
    Promote(u64),
    /// It is thrown out, for ever.
    Remove(u64),
}

impl Roster {
    /// A cluster whose first member is `first`.
    #[must_use]
    pub fn found(cluster: ClusterId, first: Member) -> Self {
        let authority = first.node;
        let next = authority + 1;
        Self { cluster, authority, revision: 1, next, members: [(authority, first)].into() }
    }

    /// Takes one input; gives the member it is about. The revision grows when something changed.
    ///
    /// # Errors
    /// Why it is refused; nothing has changed then.
    pub fn step(&mut self, input: Input) -> Result<u64, Refusal> {
        let before = self.members.clone();
        let node = match input {
            Input::Join { name, address, key } => self.join(name, address, key)?,
            Input::Announce { node, address, boot } => self.announce(node, address, boot)?,
            Input::Drain(node) => {
                self.present(node)?.state = State::Draining;
                node
            }
            Input::Promote(node) => {
                self.present(node)?.standing = Standing::Voter;
                node
            }
            Input::Remove(node) if node == self.authority => return Err(Refusal::NotPossible),
            Input::Remove(node) => {
                self.present(node)?.state = State::Removed;
                node
            }
        };
        if before != self.members {
            self.revision += 1;
        }
        Ok(node)
    }

    /// Whether a name is free for a join with a key. Who joined and lost the answer asks again
    /// with the same key.
    #[must_use]
    pub fn is_free(&self, name: &str, key: &[u8; 32]) -> bool {
        self.active().all(|member| member.name != name || member.key == *key)
    }

    /// The number that a join with a name and a key gets.
    #[must_use]
    pub fn number_for(&self, name: &str, key: &[u8; 32]) -> u64 {
        let again = self.active().find(|member| member.name == name && member.key == *key);
        again.map_or(self.next, |member| member.node)
    }

    /// Whether who shows a certificate for `node` with this key is that member.
    ///
    /// # Errors
    /// Why not.
    pub fn recognise(&self, node: u64, key: &[u8; 32]) -> Result<&Member, Refusal> {
        let member = self.members.get(&node).ok_or(Refusal::NotAMember)?;
        if member.state == State::Removed {
            return Err(Refusal::Removed);
        }
        if member.key != *key {
            return Err(Refusal::StolenName);
        }
        Ok(member)
    }

    /// Members that were not removed.
    pub fn active(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.state != State::Removed)
    }

    /// A member by name or number.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<&Member> {
        self.active().find(|member| member.name == wanted || member.node.to_string() == wanted)
    }

    fn join(&mut self, name: String, address: String, key: [u8; 32]) -> Result<u64, Refusal> {
        if !self.is_free(&name, &key) {
            return Err(Refusal::NameTaken);
        }
        let node = self.number_for(&name, &key);
        if node < self.next {
            return self.announce(node, address, 0);
        }
        self.next += 1;
        let (standing, state) = (Standing::Learner, State::Up);
        let member = Member { node, name, address, key, standing, state, boot: 0 };
        self.members.insert(node, member);
        Ok(node)
    }

    fn announce(&mut self, node: u64, address: String, boot: u64) -> Result<u64, Refusal> {
        let member = self.present(node)?;
        if member.boot != boot && member.state == State::Draining {
            member.state = State::Up;
        }
        member.boot = boot;
        member.address = address;
        Ok(node)
    }

    fn present(&mut self, node: u64) -> Result<&mut Member, Refusal> {
        let member = self.members.get_mut(&node).ok_or(Refusal::NotAMember)?;
        if member.state == State::Removed {
            return Err(Refusal::Removed);
        }
        Ok(member)
    }
}
