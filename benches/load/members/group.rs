//! Members of one cluster in this process, linked by QUIC with certificates, as nodes are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_journal::transport::{Answer, Inlet, Lane, Peer, Transport, TransportError};
use tandem_journal::{Begin, Cluster, Config, Journal, MemberError};
use tandem_kernel::Clock;
use tandem_mesh::{
    AskError, ClusterId, Founding, Joining, Mesh, Scope, Timing, Tokens, found, join,
};
use tokio::time::{sleep, timeout};

use crate::Result;

/// How long a member may take to be linked, let in and given its vote.
const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

/// One member.
pub(crate) struct Member {
    pub(crate) mesh: Mesh,
    pub(crate) journal: Journal,
}

/// The journal's way over the links; what is not the journal's is answered by itself.
struct Links(Mesh);

impl Transport for Links {
    fn serve(&self, inlet: Inlet) {
        self.0.serve(Arc::new(move |from, lane, request: Bytes| {
            let inlet = inlet.clone();
            Box::pin(async move {
                match lane {
                    tandem_mesh::Lane::Consensus => {
                        inlet.answer(from, Lane::Consensus, request).await
                    }
                    tandem_mesh::Lane::Forward => inlet.answer(from, Lane::Forward, request).await,
                    tandem_mesh::Lane::Bulk => inlet.answer(from, Lane::Bulk, request).await,
                    _ => request,
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
            mesh.ask(node, lane, request, deadline).await.map_err(|error| match error {
                AskError::Unreachable(why) => TransportError::Unreachable(why),
                AskError::TimedOut => TransportError::TimedOut,
                AskError::Broken(why) => TransportError::Broken(why),
            })
        })
    }
}

async fn linked(dir: &Path, clock: Clock) -> Result<Mesh> {
    let (dir, timing) = (dir.join("cluster"), Timing::default());
    let bind = "127.0.0.1:0".parse()?;
    let (advertised, lifetime, level) = (None, DAY, None);
    let config = tandem_mesh::Config { dir, bind, advertised, lifetime, timing, clock, level };
    Ok(Mesh::start(config).await?)
}

async fn opened(dir: &Path, mesh: Mesh, begin: Begin, clock: Clock) -> Result<Member> {
    let mut config = Config::new(dir.join("journal"), clock);
    config.node = mesh.node();
    let transport = Arc::new(Links(mesh.clone()));
    config.cluster = Some(Cluster { transport, address: mesh.address().to_owned(), begin });
    let journal = Journal::open(config).await?;
    Ok(Member { mesh, journal })
}

async fn founded(dir: &Path, clock: Clock) -> Result<Member> {
    std::fs::create_dir_all(dir.join("cluster"))?;
    found(&Founding {
        dir: &dir.join("cluster"),
        name: "node-1",
        address: "127.0.0.1:0",
        lifetime: DAY,
        now: clock.now(),
        cluster: ClusterId(1),
    })?;
    let mesh = linked(dir, clock).await?;
    opened(dir, mesh, Begin::Found, clock).await
}

async fn joined(home: &Path, first: &Member, number: u64, clock: Clock) -> Result<Member> {
    let dir = home.join(number.to_string());
    let scope = Scope { name: None, lifetime: DAY };
    let chance = [u8::try_from(number)?; 24];
    let token = Tokens::new(&home.join("1/cluster")).issue(&scope, clock.now(), chance)?;
    join(&Joining {
        dir: dir.join("cluster"),
        host: first.mesh.address().to_owned(),
        token,
        name: format!("node-{number}"),
        address: ":1".to_owned(),
    })
    .await?;
    let mesh = linked(&dir, clock).await?;
    let peer = Peer { node: mesh.node(), address: mesh.address().to_owned() };
    let opening = opened(&dir, mesh, Begin::Join, clock);
    let letting_in = let_in(&first.journal, &peer);
    let (member, ()) = tokio::try_join!(opening, letting_in)?;
    while let Err(error) = first.journal.promote(peer.node).await {
        match error {
            MemberError::Lagging { .. } => sleep(Duration::from_millis(50)).await,
            other => return Err(other.into()),
        }
    }
    Ok(member)
}

/// The first tries come before the link is up.
async fn let_in(first: &Journal, peer: &Peer) -> Result<()> {
    while first.add_learner(peer.clone()).await.is_err() {
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Members that all vote; the first one leads.
pub(crate) async fn start(home: &Path, count: u64) -> Result<Vec<Member>> {
    let clock = Clock::start();
    let mut members = vec![founded(&home.join("1"), clock).await?];
    for number in 2..=count {
        let first = members.first().ok_or("no member")?;
        let member = timeout(PATIENCE, joined(home, first, number, clock)).await??;
        members.push(member);
    }
    Ok(members)
}

/// Ends all of them.
pub(crate) async fn stop(members: Vec<Member>) -> Result<()> {
    for Member { mesh, journal } in members {
        journal.close().await?;
        mesh.stop().await;
    }
    Ok(())
}
