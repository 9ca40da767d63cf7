//! The journal's requests over the links of the mesh.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_journal::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use tandem_mesh::{AskError, Mesh};

/// The way to the other members. They are found by their numbers: a link goes to the address
/// that the roster has, and only to who proves to be that member.
pub(crate) struct Links(pub(crate) Mesh);

impl Transport for Links {
    fn serve(&self, inlet: Inlet) {
        self.0.serve(Arc::new(move |from, lane, request| {
            let inlet = inlet.clone();
            Box::pin(async move {
                match lane_of(lane) {
                    Some(lane) => inlet.answer(from, lane, request).await,
                    None => Bytes::new(),
                }
            })
        }));
    }

    fn ask(&self, peer: &Peer, lane: Lane, request: Bytes, deadline: Duration) -> Answer {
        let (mesh, node) = (self.0.clone(), peer.node);
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

/// The mesh keeps the questions of control to itself.
const fn lane_of(lane: tandem_mesh::Lane) -> Option<Lane> {
    match lane {
        tandem_mesh::Lane::Consensus => Some(Lane::Consensus),
        tandem_mesh::Lane::Forward => Some(Lane::Forward),
        tandem_mesh::Lane::Bulk => Some(Lane::Bulk),
        tandem_mesh::Lane::Control => None,
    }
}
