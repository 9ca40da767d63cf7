//! Sending an INVITE: to a registered phone, or over a trunk. A phone in a browser is rung
//! without one (`browser`).

use std::time::{Duration, Instant};

use ractor::ActorRef;
use tandem_kernel::LegId;
use tandem_sdp::Capabilities;
use tandem_sip::message::Name;
use tandem_sip::net::{Target, Transport};
use tandem_sip::session::{Dial, OtherFlow, Session};
use tandem_sip::value::{NameAddr, Reason, Uri};

use super::address::Address;
use super::audio::Audio;
use super::forwards::Inherited;
use super::peer::Peer;
use super::signalling::Signalling;
use super::way::{self, Way};
use super::{Happening, SipLeg, capabilities};
use crate::call::machine::{Device, Dialled, LegEnd, Line, Party};
use crate::call::message::CallMsg;
use crate::exchange::Exchange;
use crate::outbound::lines::WITHHELD;
use crate::registrar::{Binding, BindingId, Way as Path};
use crate::softphone;

/// Where and how an INVITE goes.
struct Destination {
    target: Uri,
    /// The registration that is called.
    registration: Option<BindingId>,
    /// The phone's other flows.
    others: Vec<(BindingId, OtherFlow)>,
    route: Vec<String>,
    next_hop: Target,
    from: NameAddr,
    to: NameAddr,
    headers: Vec<(Name, String)>,
    credentials: Option<tandem_sip::digest::Credentials>,
    caps: Capabilities,
    cancel_reason: Option<Reason>,
}

impl Destination {
    /// Whether nobody on the way reads what is offered: along the phone's next flow the same is
    /// offered as along the first.
    fn is_private(&self) -> bool {
        let mut hops = self.others.iter().map(|it| &it.1.next_hop).chain([&self.next_hop]);
        hops.all(|hop| matches!(hop.transport, Some(Transport::Tls | Transport::Wss)))
    }

    /// Whether the far end stands behind a proxy, by whichever flow.
    fn is_proxied(&self) -> bool {
        let mut routes = self.others.iter().map(|it| &it.1.route).chain([&self.route]);
        routes.any(|route| !route.is_empty())
    }
}

impl SipLeg {
    /// Sends an INVITE.
    ///
    /// # Errors
    /// Why it could not even be sent.
    pub(crate) fn dial(
        exchange: &Exchange,
        id: LegId,
        (to, caller): (&Dialled, &Party),
        inherited: Inherited,
        give_up: Duration,
        myself: &ActorRef<CallMsg>,
    ) -> Result<(Self, Vec<Happening>), LegEnd> {
        if let Dialled::Device(device) | Dialled::Agent { device, .. } = to
            && device.binding == softphone::BINDING
        {
            return Self::ring_browser(exchange, id, (device, caller), give_up, myself);
        }
        let forwards = inherited.max_forwards().ok_or_else(came_round)?;
        let mut destination = destination(exchange, to, caller)?;
        let (is_private, is_proxied) = (destination.is_private(), destination.is_proxied());
        destination.headers.push((Name::MaxForwards, forwards.to_string()));
        let who = to.party();
        let failed = |status| LegEnd {
            status: Some(status),
            by_party: false,
            why: "no media ports are free".into(),
        };
        let mut audio = Audio::open(exchange, id, destination.caps, myself).map_err(failed)?;
        audio.prefer(inherited.codec);
        let call_id = exchange.fresh_call_id();
        let transport = destination.next_hop.transport;
        let peer = destination
            .next_hop
            .flow
            .map(|flow| flow.remote().ip())
            .or(destination.next_hop.addr.map(|addr| addr.ip()));
        let mut identity = exchange.identity_towards(transport, peer);
        let flow = destination.next_hop.flow;
        if let Some(contact) = flow.and_then(|flow| exchange.sip.contact_through(flow)) {
            identity.local_contact = contact;
        }
        let mut way = Way::along(flow, &who, destination.registration.take());
        for (id, flow) in &destination.others {
            way.or_along(flow.next_hop.flow, &who, id.clone());
        }
        way.watch(exchange, id, myself);
        let (offer, second_offer) = audio.first_offer(is_private);
        let dial = Dial {
            target: destination.target,
            route: destination.route,
            next_hop: destination.next_hop,
            from: destination.from,
            to: destination.to,
            call_id: call_id.clone(),
            from_tag: exchange.fresh_tag(),
            headers: destination.headers,
            offer: Some(offer),
            second_offer,
            credentials: destination.credentials,
            give_up_after: give_up,
            other_flows: destination.others.into_iter().map(|it| it.1).collect(),
            cancel_reason: destination.cancel_reason,
        };
        let (session, effects) = Session::outgoing(Instant::now(), dial, &identity);
        let mut leg = Self {
            id,
            session: Signalling::Sip(Box::new(session)),
            address: Address::new(myself, id.index),
            attachments: Vec::new(),
            peer: Peer::called(who, is_proxied),
            way,
            call_id,
            audio,
            forwards,
            closed: false,
            ended: false,
            heard: false,
            alarms: exchange.alarms.alarms(),
        };
        let happenings = leg.run(exchange, myself, effects);
        Ok((leg, happenings))
    }
}

/// RFC 3261 16.3: the call has been sent on as often as it may be.
fn came_round() -> LegEnd {
    LegEnd { status: Some(483), by_party: false, why: "the call goes in a circle".into() }
}

fn destination(exchange: &Exchange, to: &Dialled, caller: &Party) -> Result<Destination, LegEnd> {
    match to {
        Dialled::Device(device) => to_device(exchange, device, caller),
        Dialled::Agent { device, queue } => to_agent(exchange, device, queue, caller),
        Dialled::Intercom(device) => to_intercom(exchange, device, caller),
        Dialled::Line(line) => to_line(exchange, line, caller),
    }
}

fn to_device(exchange: &Exchange, device: &Device, caller: &Party) -> Result<Destination, LegEnd> {
    let gone = || LegEnd::unreachable("the phone is not registered any more");
    let reached = exchange.location.reach(&device.extension, &device.binding);
    let (binding, path) = reached.ok_or_else(gone)?;
    let directory = exchange.provisioning.directory();
    let extension = directory.extension(&device.extension).ok_or_else(gone)?;
    let target = Uri::parse(&binding.uri).map_err(|_| gone())?;
    let others = exchange.location.other_flows(&device.extension, &device.binding).into_iter();
    let realm = &exchange.policy.realm;
    Ok(Destination {
        next_hop: next_hop(exchange, &binding, &target, path),
        target,
        registration: Some(binding.id()),
        others: others.filter_map(|it| other_flow(exchange, it)).collect(),
        route: binding.path,
        from: party(caller.name(), caller.number(), realm),
        to: party(&extension.name, &extension.number, realm),
        headers: Vec::new(),
        credentials: None,
        caps: capabilities(&extension.codecs, extension.dtmf, extension.encryption),
        cancel_reason: None,
    })
}

fn next_hop(exchange: &Exchange, binding: &Binding, target: &Uri, path: Path) -> Target {
    Target {
        uri: target.clone(),
        flow: Some(way::flow_of(exchange, path)),
        transport: binding.transport.parse().ok(),
        addr: None,
    }
}

/// A flow that is tried when another one of the same phone has failed (RFC 5626 7).
fn other_flow(
    exchange: &Exchange,
    (binding, path): (Binding, Path),
) -> Option<(BindingId, OtherFlow)> {
    let target = Uri::parse(&binding.uri).ok()?;
    let next_hop = next_hop(exchange, &binding, &target, path);
    let local_contact = way::contact(exchange, next_hop.flow?);
    let id = binding.id();
    Some((id, OtherFlow { target, route: binding.path, next_hop, local_contact }))
}

/// a phone may ring for a queue as the queue says. Q-088: whatever ends a ring that was not
/// answered, the phone lists it as missed only if the queue wants that.
fn to_agent(
    exchange: &Exchange,
    device: &Device,
    queue: &str,
    caller: &Party,
) -> Result<Destination, LegEnd> {
    let mut destination = to_device(exchange, device, caller)?;
    let directory = exchange.provisioning.directory();
    let Some(queue) = directory.queue(queue) else { return Ok(destination) };
    if !queue.alert_info.is_empty() {
        let alert = format!("<http://127.0.0.1>;info={}", queue.alert_info);
        destination.headers.push((Name::AlertInfo, alert));
    }
    if !queue.agent.phone_shows_missed {
        destination.cancel_reason = Some(Reason::elsewhere());
    }
    Ok(destination)
}

/// A phone that is asked to answer by itself. The headers are those that phones of many makers
/// know (D-060, D-061); one that knows none just rings (D-063).
fn to_intercom(
    exchange: &Exchange,
    device: &Device,
    caller: &Party,
) -> Result<Destination, LegEnd> {
    let mut destination = to_device(exchange, device, caller)?;
    let domain = &exchange.policy.realm;
    destination.headers.push((Name::CallInfo, format!("<sip:{domain}>;answer-after=0")));
    let alert = format!("<http://{domain}>;info=alert-autoanswer;delay=0");
    destination.headers.push((Name::AlertInfo, alert));
    Ok(destination)
}

fn to_line(exchange: &Exchange, line: &Line, caller: &Party) -> Result<Destination, LegEnd> {
    let refused = |why: String| LegEnd { status: Some(503), by_party: false, why };
    let asked = exchange.trunks.way(&line.trunk, line.is_emergency);
    let way = asked.map_err(|no| refused(format!("trunk {} {no}", line.trunk)))?;
    if !line.is_emergency {
        let price = u64::from(line.price_per_minute);
        let entered = exchange.tolls.enter(exchange.clock.now(), &way.trunk, price);
        entered.map_err(|reached| refused(format!("trunk {} {reached}", line.trunk)))?;
    }
    let bad = |_| LegEnd::status(484, "the number can not be sent");
    let target = match &line.uri {
        Some(uri) => Uri::parse(uri).map_err(bad)?,
        None => way.uri_of(&line.number),
    };
    let shown = match (&line.caller_id, &way.username) {
        (id, _) if !id.is_empty() && id != WITHHELD => id.clone(),
        (_, Some(user)) if caller.trunk().is_none() => user.clone(),
        _ => caller.number().to_owned(),
    };
    let identity = party(caller.name(), &shown, &way.domain);
    let mut headers = Vec::new();
    if way.trusted_identity {
        headers.push((Name::PAssertedIdentity, identity.to_string()));
    }
    let from = if line.caller_id == WITHHELD {
        headers.push((Name::Privacy, "id".to_owned()));
        party("Anonymous", WITHHELD, "anonymous.invalid")
    } else {
        identity
    };
    Ok(Destination {
        next_hop: way.target(&target),
        to: party("", &line.number, &way.domain),
        target,
        registration: None,
        others: Vec::new(),
        route: Vec::new(),
        from,
        headers,
        credentials: way.credentials,
        caps: way.caps,
        cancel_reason: None,
    })
}

/// `"name" <sip:number@host>`.
fn party(name: &str, number: &str, host: &str) -> NameAddr {
    let uri = if number.is_empty() { Uri::sip_host(host) } else { Uri::sip(number, host) };
    NameAddr::new(uri).with_display(name)
}
