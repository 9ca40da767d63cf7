//! The shells: one actor a trunk that pings it, and one that starts and stops them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tandem_config::resource::{Trunk, TrunkMode};
use tandem_sip::message::{Draft, Method, Name};
use tandem_sip::net::{Handle, Prefix, Sink, Target, TuEvent};
use tandem_sip::value::{NameAddr, Uri};
use tandem_telemetry::metric;

use super::health::Waiting;
use super::registration::Registering;
use super::{Trunks, transport_of, with_way};
use crate::provisioning::Provisioning;

/// How often the names of trunks are looked up anew.
const LOOK_UP_EVERY: Duration = Duration::from_secs(300);

/// Messages of a trunk's actor.
pub enum TrunkMsg {
    /// Time to ping.
    Ping,
    /// An answer to a ping or a REGISTER, or its failure.
    Sip(TuEvent),
    /// A timer of the registration.
    Timer(tandem_sip::session::TimerId),
}

impl ractor::Message for TrunkMsg {}

/// What a trunk's actor is started with.
#[derive(Clone)]
pub struct TrunkArgs {
    /// The trunk.
    pub trunk: Arc<Trunk>,
    /// All trunks.
    pub trunks: Trunks,
    /// The SIP endpoint.
    pub sip: Handle,
    /// The host of our own URIs.
    pub realm: String,
}

/// The state of a trunk's actor.
pub struct TrunkState {
    args: TrunkArgs,
    waiting: Waiting,
    registering: Option<Registering>,
    cseq: u32,
    call_id: String,
}

/// Pings and registers one trunk.
pub struct TrunkActor;

impl Actor for TrunkActor {
    type Msg = TrunkMsg;
    type State = TrunkState;
    type Arguments = TrunkArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<TrunkMsg>,
        args: TrunkArgs,
    ) -> Result<TrunkState, ActorProcessingErr> {
        let every = Duration::from_secs(u64::from(args.trunk.options_interval_secs));
        if !every.is_zero() {
            drop(myself.send_interval(every, || TrunkMsg::Ping));
            myself.cast(TrunkMsg::Ping)?;
        }
        let call_id = format!("ping-{}-{}", args.trunk.name, uuid::Uuid::new_v4());
        let registering = (args.trunk.mode == TrunkMode::Register)
            .then(|| Registering::start(&args, &myself))
            .flatten();
        Ok(TrunkState { args, waiting: Waiting::default(), registering, cseq: 0, call_id })
    }

    async fn handle(
        &self,
        myself: ActorRef<TrunkMsg>,
        message: TrunkMsg,
        state: &mut TrunkState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TrunkMsg::Ping => state.ping(&myself),
            TrunkMsg::Sip(event) => state.heard(&myself, event),
            TrunkMsg::Timer(timer) => {
                if let Some(registering) = &mut state.registering {
                    registering.timer(&state.args, &myself, timer);
                }
            }
        }
        Ok(())
    }
}

impl TrunkState {
    fn ping(&mut self, myself: &ActorRef<TrunkMsg>) {
        let trunk = &self.args.trunk;
        let transport = transport_of(trunk);
        let uri = with_way(Uri::sip_host(&trunk.host), trunk.port, transport);
        self.cseq += 1;
        let own = NameAddr::new(Uri::sip("ping", &self.args.realm)).with_tag("tandem");
        let draft = Draft::request(Method::Options, uri.to_string())
            .with(Name::From, own.to_string())
            .with(Name::To, NameAddr::new(uri.clone()).to_string())
            .with(Name::CallId, self.call_id.clone())
            .with(Name::CSeq, format!("{} OPTIONS", self.cseq));
        let target = Target { transport: Some(transport), ..Target::of(uri) };
        let probe = self.args.sip.request(draft, target, sink(myself));
        if self.waiting.ask(probe) {
            self.probed(false);
        }
    }

    fn heard(&mut self, myself: &ActorRef<TrunkMsg>, event: TuEvent) {
        let (txn, answered) = match &event {
            TuEvent::Response { txn, response, .. } => match response.status() {
                Some(100..=199) | None => return,
                // Any answer shows that it lives, but for one that says it does not serve.
                Some(status) => (*txn, status != 503),
            },
            TuEvent::Timeout { txn } | TuEvent::TransportFailed { txn, .. } => (*txn, false),
            TuEvent::Request(_)
            | TuEvent::Ack(_)
            | TuEvent::Cancelled { .. }
            | TuEvent::ServerGone { .. } => return,
        };
        if !self.waiting.settle(txn) {
            if let Some(registering) = &mut self.registering {
                registering.heard(&self.args, myself, event);
            }
            return;
        }
        self.probed(answered);
    }

    fn probed(&self, answered: bool) {
        let name = &self.args.trunk.name;
        if let Some(up) = self.args.trunks.probed(name, answered) {
            if up {
                tracing::info!(trunk = %name, "trunk is up");
            } else {
                tracing::warn!(trunk = %name, "trunk does not answer");
            }
        }
        let up = self.args.trunks.is_up(name);
        metric::TRUNK_UP.set_with("trunk", name.clone(), u64::from(up));
    }
}

pub(super) fn sink(myself: &ActorRef<TrunkMsg>) -> Sink {
    let myself = myself.clone();
    Arc::new(move |event| {
        let _gone = myself.cast(TrunkMsg::Sip(event));
    })
}

/// Messages of the supervisor of trunks.
pub enum TrunksMsg {
    /// A trunk was written or removed; none: look at all again.
    Changed(Option<String>),
}

impl ractor::Message for TrunksMsg {}

/// What the supervisor is started with.
#[derive(Clone)]
pub struct TrunksArgs {
    /// All trunks.
    pub trunks: Trunks,
    /// The SIP endpoint.
    pub sip: Handle,
    /// Where trunks are provisioned.
    pub provisioning: Provisioning,
    /// The host of our own URIs.
    pub realm: String,
}

/// The state of the supervisor.
pub struct TrunksState {
    args: TrunksArgs,
    actors: BTreeMap<String, ActorRef<TrunkMsg>>,
}

/// Starts an actor for each trunk, and starts it again when it crashes.
pub struct TrunksActor;

impl Actor for TrunksActor {
    type Msg = TrunksMsg;
    type State = TrunksState;
    type Arguments = TrunksArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<TrunksMsg>,
        args: TrunksArgs,
    ) -> Result<TrunksState, ActorProcessingErr> {
        drop(myself.send_interval(LOOK_UP_EVERY, || TrunksMsg::Changed(None)));
        let mut state = TrunksState { args, actors: BTreeMap::new() };
        state.change_all(&myself).await;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<TrunksMsg>,
        message: TrunksMsg,
        state: &mut TrunksState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TrunksMsg::Changed(Some(name)) => state.change(&myself, &name).await,
            TrunksMsg::Changed(None) => {
                state.change_all(&myself).await;
                state.look_up().await;
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<TrunksMsg>,
        event: SupervisionEvent,
        state: &mut TrunksState,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(cell, error) = event {
            metric::ACTOR_RESTARTS.increment_with("kind", "trunk");
            let name = state
                .actors
                .iter()
                .find(|(_, actor)| actor.get_id() == cell.get_id())
                .map(|(name, _)| name.clone());
            tracing::error!(trunk = ?name, %error, "a trunk's actor crashed");
            if let Some(name) = name {
                // A trunk that crashes at once would spin; it gets a second.
                drop(
                    myself
                        .send_after(Duration::from_secs(1), move || TrunksMsg::Changed(Some(name))),
                );
            }
        }
        Ok(())
    }
}

impl TrunksState {
    async fn change_all(&mut self, myself: &ActorRef<TrunksMsg>) {
        let now = self.provisioned();
        let mut names: BTreeSet<String> = now.keys().cloned().collect();
        names.extend(self.actors.keys().cloned());
        names.extend(self.args.trunks.names());
        for name in names {
            // What has not changed goes on: a trunk that starts anew has to register again.
            let goes_on = self.actors.contains_key(&name)
                && now.get(&name).is_some_and(|trunk| self.args.trunks.has(trunk));
            if !goes_on {
                self.change(myself, &name).await;
            }
        }
    }

    fn provisioned(&self) -> BTreeMap<String, Arc<Trunk>> {
        let directory = self.args.provisioning.directory();
        directory.trunks().map(|trunk| (trunk.name.clone(), Arc::new(trunk.clone()))).collect()
    }

    async fn change(&mut self, myself: &ActorRef<TrunksMsg>, name: &str) {
        if let Some(actor) = self.actors.remove(name) {
            actor.stop(None);
        }
        let trunk = self.provisioned().remove(name);
        let Some(trunk) = trunk.filter(|trunk| trunk.enabled) else {
            self.args.trunks.forget(name);
            self.allow();
            return;
        };
        self.args.trunks.set(trunk.clone(), sources(&trunk).await);
        self.allow();
        let args = TrunkArgs {
            trunk,
            trunks: self.args.trunks.clone(),
            sip: self.args.sip.clone(),
            realm: self.args.realm.clone(),
        };
        match Actor::spawn_linked(None, TrunkActor, args, myself.get_cell()).await {
            Ok((actor, _task)) => {
                self.actors.insert(name.to_owned(), actor);
            }
            Err(error) => tracing::error!(trunk = %name, %error, "a trunk did not start"),
        }
    }

    async fn look_up(&mut self) {
        for trunk in self.provisioned().into_values() {
            if trunk.host.parse::<IpAddr>().is_err() {
                let found = sources(&trunk).await;
                if let Some(line) = self.args.trunks.lines.write().get_mut(&trunk.name)
                    && !found.is_empty()
                {
                    line.sources = found;
                }
            }
        }
        self.allow();
    }

    /// Trunks are never rate-limited (S18).
    fn allow(&self) {
        let sources = self.args.trunks.sources();
        self.args.sip.set_allowed(sources.into_iter().map(Prefix::from).collect());
    }
}

/// The addresses from which a trunk's calls come.
async fn sources(trunk: &Trunk) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for host in std::iter::once(&trunk.host).chain(&trunk.accept_from) {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            found.push(ip.to_canonical());
            continue;
        }
        match tokio::net::lookup_host((host.as_str(), 0)).await {
            Ok(addrs) => found.extend(addrs.map(|addr| addr.ip().to_canonical())),
            Err(error) => tracing::warn!(trunk = %trunk.name, %host, %error, "no address found"),
        }
    }
    found
}
