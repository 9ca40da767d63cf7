//! All metrics, declared once. Base units; `_total` on counters.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// A count that only grows.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
}

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        metrics::counter!(self.name).increment(1);
    }

    /// Adds some.
    pub fn add(&self, count: u64) {
        metrics::counter!(self.name).increment(count);
    }

    /// Adds one under a label.
    pub fn increment_with(&self, label: &'static str, value: &'static str) {
        metrics::counter!(self.name, label => value).increment(1);
    }

    /// Sets it to a count that is kept elsewhere.
    pub fn absolute(&self, value: u64) {
        metrics::counter!(self.name).absolute(value);
    }

    /// Sets it to a count that is kept elsewhere, under a label.
    pub fn absolute_with(&self, label: &'static str, value: String, count: u64) {
        metrics::counter!(self.name, label => value).absolute(count);
    }
}

/// A level.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// Its name.
    pub name: &'static str,
    /// What it measures.
    pub help: &'static str,
}

impl Gauge {
    /// Sets the level.
    #[allow(clippy::cast_precision_loss)]
    pub fn set(&self, value: u64) {
        metrics::gauge!(self.name).set(value as f64);
    }

    /// Sets the level under a label of few values.
    #[allow(clippy::cast_precision_loss)]
    pub fn set_with(&self, label: &'static str, label_value: String, value: u64) {
        metrics::gauge!(self.name, label => label_value).set(value as f64);
    }
}

/// A distribution of durations, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Histogram {
    /// Its name.
    pub name: &'static str,
    /// What it measures.
    pub help: &'static str,
}

impl Histogram {
    /// Adds one duration.
    pub fn record(&self, span: std::time::Duration) {
        metrics::histogram!(self.name).record(span.as_secs_f64());
    }
}

macro_rules! declare {
    ($kind:ident, $all:ident:
        $($(#[$doc:meta])* $constant:ident = $name:literal, $help:literal;)*) => {
        $($(#[$doc])*
        #[doc = $help]
        pub const $constant: $kind = $kind { name: $name, help: $help };)*

        /// All metrics of this type, for documents and tests.
        pub const $all: &[$kind] = &[$($constant),*];
    };
}

declare! { Counter, COUNTERS:
    CALLS = "tandem_calls_total", "Calls that ended, by outcome";
    CALLS_REFUSED = "tandem_calls_refused_total", "Calls refused for overload";
    REGISTRATIONS = "tandem_sip_registrations_total", "Registrations accepted";
    AUTH_FAILURES = "tandem_sip_auth_failures_total", "Requests with wrong credentials";
    SIP_FOREIGN_REQUESTS = "tandem_sip_foreign_requests_total",
        "Requests within a dialog that did not come from its peer";
    SIP_REQUESTS = "tandem_sip_requests_total", "SIP requests received, by method";
    SIP_MALFORMED = "tandem_sip_malformed_total", "SIP messages that could not be read";
    SIP_RETRANSMISSIONS = "tandem_sip_retransmissions_total", "SIP messages sent again";
    SIP_BANNED = "tandem_sip_banned_total", "SIP packets dropped from banned sources";
    QUEUE_EXITS = "tandem_queue_exits_total", "Callers who left a queue, by exit";
    ACTOR_RESTARTS = "tandem_actor_restarts_total", "Actors started again after a crash, by kind";
    LEASES_OVERDUE = "tandem_leases_overdue_total",
        "States of agents and of calls in queues that outlived their lease, by state";
    RTP_PACKETS = "tandem_rtp_packets_total", "RTP packets received";
    RTP_LOST = "tandem_rtp_lost_packets_total", "RTP packets that did not come";
    CLUSTER_REFUSED = "tandem_cluster_refused_total", "Nodes that were not let in, by reason";
    CLUSTER_REFUSED_BY = "tandem_cluster_refused_by_peer_total", "Refusals by peers, by reason";
    CLUSTER_LINKS_LOST = "tandem_cluster_links_lost_total", "Links to members that broke";
    CLUSTER_QUESTIONS = "tandem_cluster_questions_total",
        "Questions sent to other members, by lane: consensus, forward, actors …";
    GATEWAY_WORDS = "tandem_gateway_words_total", "What actors told those of other members";
    GATEWAY_UNSPOKEN = "tandem_gateway_unspoken_total",
        "What was not said to a member because its build is too old for it";
    QUEUE_TOLD_AGAIN = "tandem_queue_told_again_total",
        "Talks that queues were told of because their facts did not have them";
    GATEWAY_DROPPED = "tandem_gateway_dropped_total", "Letters to members that were given up";
    GATEWAY_OUTDATED = "tandem_gateway_outdated_total", "Words of owners that are none any more";
    FLOW_MESSAGES = "tandem_flow_messages_total",
        "SIP messages that went through the member at which the phone is registered";
    FLOW_DROPPED = "tandem_flow_messages_dropped_total",
        "SIP messages that did not get through to a phone's member, or came too late, by reason";
    HTTP_REQUESTS = "tandem_http_requests_total", "HTTP requests, by class of status";
}

declare! { Gauge, GAUGES:
    PLACEMENT_SHARDS = "tandem_placement_shards", "Shards of queues and agents at this member";
    CALLS_ACTIVE = "tandem_calls_active", "Calls that are up or being set up";
    REGISTERED = "tandem_sip_registrations_active", "Registered contacts";
    SIP_SUBSCRIPTIONS = "tandem_sip_subscriptions_active", "Subscriptions of phones";
    TRUNK_UP = "tandem_trunk_up", "1 when the trunk answers";
    QUEUE_WAITING = "tandem_queue_waiting", "Callers who wait, by queue";
    MEDIA_LEGS = "tandem_media_legs", "Legs with open media ports";
    JOURNAL_INDEX = "tandem_journal_index", "Index of the newest event";
    CLUSTER_CLOCKS_APART = "tandem_cluster_clocks_apart_milliseconds",
        "How much a member's clock differs from this node's, by member";
    DISK_FREE = "tandem_disk_free_bytes", "Room where the data is kept";
    SYSTEM_CLOCK_SET = "tandem_system_clock_set_seconds",
        "How far the system's clock was set forth or back since the node started";
    CLUSTER_LINK_RTT = "tandem_cluster_link_rtt_microseconds",
        "Round trip to a member, by member; 0 while its link is down";
    CLUSTER_CERTIFICATE = "tandem_cluster_certificate_expires_seconds",
        "How long this member's certificate is still good";
    JOURNAL_LEADS = "tandem_journal_leads", "1 at the member that leads the journal";
    JOURNAL_QUORUM = "tandem_journal_quorum", "1 while a majority is within reach";
    JOURNAL_VOTERS = "tandem_journal_voters", "Members whose votes count";
    CLUSTER_MEMBERS = "tandem_cluster_members", "Members of the cluster";
    EVENT_CLIENTS = "tandem_event_clients", "Connected event stream clients";
}

declare! { Histogram, HISTOGRAMS:
    CALL_DURATION = "tandem_call_duration_seconds", "From the start of a call to its end";
    JOURNAL_APPEND = "tandem_journal_append_seconds", "From an append to its commit";
}

/// The recorder could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("failed to start the metrics recorder")]
pub struct StartError(#[from] metrics_exporter_prometheus::BuildError);

/// Starts the recorder of this process. The handle renders the text for Prometheus.
///
/// # Errors
/// [`StartError`] when a recorder is installed already.
pub fn start() -> Result<PrometheusHandle, StartError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    for counter in COUNTERS {
        metrics::describe_counter!(counter.name, counter.help);
    }
    for gauge in GAUGES {
        metrics::describe_gauge!(gauge.name, gauge.help);
    }
    for histogram in HISTOGRAMS {
        metrics::describe_histogram!(histogram.name, histogram.help);
    }
}

pub use metrics_exporter_prometheus::PrometheusHandle as Recorder;
