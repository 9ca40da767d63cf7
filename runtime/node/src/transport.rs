//! The journal's requests, and what actors say to each other, over the links of the mesh.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tandem_actors::gateway::{Carried, Carrier, Gateway};
use tandem_journal::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use tandem_mesh::{AskError, Mesh};

/// The way to the other members. They are found by their numbers: a link goes to the address
/// that the roster has, and only to who proves to be that member.
pub(crate) struct Links {
    pub(crate) mesh: Mesh,
    /// Set when the actors of this node can be spoken to.
    pub(crate) actors: Arc<OnceLock<Gateway>>,
}

impl Transport for Links {
    fn serve(&self, inlet: Inlet) {
        let actors = self.actors.clone();
        self.mesh.serve(Arc::new(move |from, lane, request| {
            let (inlet, actors) = (inlet.clone(), actors.clone());
            Box::pin(async move {
                match lane_of(lane) {
                    Some(lane) => inlet.answer(from, lane, request).await,
                    None => match actors.get() {
                        Some(gateway) => gateway.take(from, request).await,
                        None => Bytes::new(),
                    },
                }
            })
        }));
    }

    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer {
        let (mesh, node) = (self.mesh.clone(), peer.node);
        let lane = match lane {
            Lane::Consensus => tandem_mesh::Lane::Consensus,
            Lane::Forward => tandem_mesh::Lane::Forward,
            Lane::Bulk => tandem_mesh::Lane::Bulk,
        };
        Box::pin(async move {
            let answer = mesh.ask(node, lane, request, deadline).await;
            answer.map_err(|error| match error {
                AskError::Unreachable(why) => TransportError::Unreachable(why),
                AskError::TimedOut => TransportError::TimedOut,
                AskError::Broken(why) => TransportError::Broken(why),
            })
        })
    }
}

/// Letters of actors go over the same links.
pub(crate) struct Courier(pub(crate) Mesh);

impl Carrier for Courier {
    fn carry(&self, member: u64, letter: Bytes, deadline: Duration) -> Carried {
        let mesh = self.0.clone();
        Box::pin(async move {
            let lane = tandem_mesh::Lane::Actors;
            mesh.ask(member, lane, letter, deadline).await.ok()
        })
    }

    fn level(&self, member: u64) -> u16 {
        self.0.level_of(member)
    }

    fn settled(&self) -> u16 {
        self.0.settled()
    }

    fn carry_bulk(&self, member: u64, letter: Bytes, deadline: Duration) -> Carried {
        let mesh = self.0.clone();
        Box::pin(async move {
            let lane = tandem_mesh::Lane::Files;
            mesh.ask(member, lane, letter, deadline).await.ok()
        })
    }
}

/// The mesh keeps the questions of control to itself.
const fn lane_of(lane: tandem_mesh::Lane) -> Option<Lane> {
    match lane {
        tandem_mesh::Lane::Consensus => Some(Lane::Consensus),
        tandem_mesh::Lane::Forward => Some(Lane::Forward),
        tandem_mesh::Lane::Bulk => Some(Lane::Bulk),
        tandem_mesh::Lane::Control | tandem_mesh::Lane::Actors | tandem_mesh::Lane::Files => None,
    }
}
