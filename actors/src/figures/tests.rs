use std::time::Duration;

use tandem_config::resource::Membership;
use tandem_kernel::{CallId, Timestamp};

use super::{CallbackRows, Handling, PauseEnd, Rings, Shown, Spans};
use crate::agent::AgentEvent;
use crate::agent::event::Source;
use crate::queue::request::CallbackFailure;
use crate::queue::{Exit, OfferEnd, OfferId, Party, QueueEvent, RingEnd};

/// A moment of a day.
fn at(hours: u64, minutes: u64, secs: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + hours * 3_600 + minutes * 60 + secs)
}

fn shown(length: Duration) -> String {
    Shown(length).to_string()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn queues() -> Vec<String> {
    vec!["6400".to_owned()]
}

fn added(membership: Membership) -> AgentEvent {
    AgentEvent::Added { at: at(0, 0, 0), queue: "6400".into(), membership, logged_in: false }
}

fn logged_in(at: Timestamp) -> AgentEvent {
    AgentEvent::LoggedIn { at, queues: queues(), source: Source::Phone }
}

fn logged_out(at: Timestamp) -> AgentEvent {
    AgentEvent::LoggedOut { at, queues: queues(), source: Source::Phone }
}

fn paused(at: Timestamp, reason: Option<&str>) -> AgentEvent {
    let reason = reason.map(str::to_owned);
    AgentEvent::Paused { at, queues: queues(), reason, source: Source::PanelSelf }
}

fn resumed(at: Timestamp) -> AgentEvent {
    AgentEvent::Resumed { at, queues: queues(), source: Source::PanelSelf }
}

#[test]
fn q_358_vector_7_a_change_of_reason_closes_a_segment_and_counts_as_no_pause() {
    let reason = Some("*02".to_owned());
    let changed = AgentEvent::ReasonChanged {
        at: at(17, 17, 11),
        queues: queues(),
        reason,
        source: Source::PanelSelf,
    };
    let facts = [
        paused(at(17, 14, 11), None),
        resumed(at(17, 14, 15)),
        paused(at(17, 14, 19), Some("*02")),
        resumed(at(17, 14, 41)),
        paused(at(17, 17, 4), Some("*01")),
        changed,
        resumed(at(17, 17, 21)),
    ];

    let spans = Spans::of(&facts);

    let now = at(18, 0, 0);
    let lengths: Vec<_> = spans.pauses.iter().map(|it| it.length(now).as_secs()).collect();
    assert_eq!(lengths, [4, 22, 7, 10]);
    assert_eq!(spans.pauses[2].until, Some((at(17, 17, 11), PauseEnd::ReasonChanged)));
    let (total, count) = spans.pause_total(now);
    assert_eq!((shown(total).as_str(), count), ("00:00:43", 3));
}

#[test]
fn q_358_an_open_pause_lasts_until_now_and_a_log_out_ends_one() {
    let facts =
        [paused(at(9, 0, 0), None), logged_out(at(9, 0, 30)), paused(at(10, 0, 0), Some("*01"))];
    let (total, count) = Spans::of(&facts).pause_total(at(10, 1, 0));

    assert_eq!((total, count), (secs(90), 2));
}

#[test]
fn q_356_vector_8_log_in_spans_run_over_midnight() {
    let facts = [
        added(Membership::Dynamic),
        logged_in(at(10, 18, 39)),
        logged_out(at(10, 18, 51)),
        logged_in(at(10, 22, 10)),
        logged_out(at(10, 26, 49)),
        logged_in(at(18, 40, 47)),
        logged_out(at(24 + 16, 6, 17)),
    ];

    let spans = Spans::of(&facts);

    let now = at(48, 0, 0);
    let rows: Vec<_> = spans.logins.iter().map(|span| shown(span.length(now))).collect();
    assert_eq!(rows, ["00:00:12", "00:04:39", "21:25:30"]);
    assert_eq!(shown(spans.login_total(now)), "21:30:21");
}

#[test]
fn q_356_who_is_still_logged_in_is_so_until_now_and_static_agents_never_log_in() {
    let always = AgentEvent::Added {
        at: at(0, 0, 0),
        queue: "6401".into(),
        membership: Membership::Static,
        logged_in: true,
    };
    let spans = Spans::of(&[always, logged_in(at(1, 0, 0))]);

    assert_eq!(spans.logins.len(), 1);
    assert_eq!(spans.login_total(at(1, 0, 5)), secs(5));
}

fn joined(call: u128, at: Timestamp) -> QueueEvent {
    let (caller, caller_name) = (format!("20{call:02}"), String::new());
    QueueEvent::Joined { at, call: CallId::from_u128(call), caller, caller_name }
}

#[test]
fn q_350_vector_9_fifteen_rows_whose_waits_add_up_to_19_minutes_and_40_seconds() {
    // From the entry to the callback, or to its failure: 1,180 seconds together.
    let waits = [12, 25, 38, 47, 52, 61, 66, 74, 79, 85, 97, 108, 119, 131, 186];
    let mut facts = Vec::new();
    for (call, wait) in (1..).zip(waits) {
        let (id, from) = (CallId::from_u128(call), at(9, u64::try_from(call).unwrap_or(0), 0));
        let (until, wait_us) = (from + secs(wait), wait * 1_000_000);
        facts.push(joined(call, from));
        let number = format!("55501{call:02}");
        facts.push(QueueEvent::CallbackRegistered { at: from + secs(5), call: id, number });
        facts.push(if call % 3 == 0 {
            let reason = CallbackFailure::CustomerNoAnswer;
            QueueEvent::CallbackFailed { at: until, call: id, reason, wait_us }
        } else {
            let (agent, callback) = ("1001".to_owned(), CallId::from_u128(100 + call));
            QueueEvent::CallbackSucceeded { at: until, call: id, callback, agent, wait_us }
        });
    }

    let report = CallbackRows::of(&facts);

    let (count, total) = report.total();
    assert_eq!((count, shown(total).as_str()), (15, "00:19:40"));
    for (row, wait) in report.rows.iter().zip(waits) {
        assert_eq!(row.wait(), secs(wait), "callback time less time: {row:?}");
    }
    assert_eq!(report.rows.iter().filter(|row| row.failure.is_some()).count(), 5);
    assert_eq!(report.open(), 0);
}

#[test]
fn q_345_who_calls_again_meanwhile_has_no_row_and_open_requests_are_counted() {
    let (first, again) = (CallId::from_u128(1), CallId::from_u128(2));
    let number = "5550101".to_owned();
    let mut report = CallbackRows::of(&[
        joined(1, at(9, 0, 0)),
        QueueEvent::CallbackRegistered { at: at(9, 0, 5), call: first, number },
        joined(2, at(9, 1, 0)),
        QueueEvent::CallbackMerged { at: at(9, 1, 0), call: first, by: again },
    ]);
    assert_eq!(report.open(), 1);
    let (agent, offer) = ("1001".to_owned(), OfferId(1));
    report.take(&QueueEvent::Answered { at: at(9, 2, 0), call: again, offer, agent, wait_us: 1 });

    assert_eq!((report.open(), report.rows.len()), (0, 0));
}

fn rung(why: RingEnd) -> QueueEvent {
    let (call, offer, agent) = (CallId::from_u128(9), OfferId(9), "2001".to_owned());
    QueueEvent::RingEnded { at: at(9, 0, 0), call, offer, agent, why }
}

fn talk(call: u128, wait: u64, talk: u64) -> [QueueEvent; 2] {
    let (id, agent) = (CallId::from_u128(call), "2001".to_owned());
    let (at, offer, wait_us) = (at(9, 0, 0), OfferId(1), wait * 1_000_000);
    let answered = QueueEvent::Answered { at, call: id, offer, agent: agent.clone(), wait_us };
    let (by, talk_us) = (Party::Caller, talk * 1_000_000);
    [answered, QueueEvent::Ended { at, call: id, agent, by, talk_us }]
}

#[test]
fn q_369_vector_10_an_agent_with_four_rings_of_which_two_were_answered() {
    let mut facts = vec![
        // Another agent was faster; the phone rang to its end.
        rung(RingEnd::Lost),
        rung(RingEnd::Ended(OfferEnd::TimedOut)),
        // The caller was gone: listed elsewhere, not counted.
        rung(RingEnd::Cut),
    ];
    facts.extend(talk(1, 9, 50).into_iter().chain(talk(2, 16, 64)));

    let agent = Rings::of(&facts).agent("2001");

    assert_eq!((agent.rings(), agent.answered, agent.missed), (4, 2, 2));
    assert_eq!(agent.missed_rate().to_string(), "50%");
    assert_eq!(shown(agent.talked), "00:01:54");
    assert_eq!(shown(agent.average_talk()), "00:00:57");
    assert_eq!(agent.average_wait(), Duration::from_millis(12_500), "exact inside (Q-308)");
    assert_eq!(shown(agent.average_wait()), "00:00:12");
    assert_eq!(shown(agent.longest_wait), "00:00:16");
}

#[test]
fn q_369_of_an_agent_without_calls_all_is_zero() {
    let agent = Rings::of(&[]).agent("2000");

    assert_eq!(shown(agent.average_wait()), "00:00:00");
    assert_eq!(agent.missed_rate().to_string(), "0%");
}

#[test]
fn q_442_vector_16_a_pause_runs_past_a_day() {
    assert_eq!(shown(secs(27 * 3_600 + 56 * 60 + 7)), "27:56:07");
    assert_eq!(shown(Duration::from_millis(7_999)), "00:00:07");
    assert_eq!(shown(secs(120 * 3_600)), "120:00:00");
}

/// A queue's calls: how long those who were answered waited and talked, and how the others left.
fn day(answered: &[(u64, u64)], others: &[(Exit, u64)]) -> Handling {
    let mut facts = Vec::new();
    let mut next = 0_u32;
    let mut call = || {
        next += 1;
        CallId::from_u128(u128::from(next))
    };
    for (wait, talk) in answered {
        let (call, agent) = (call(), "2000".to_owned());
        let (at, wait_us, talk_us) = (at(9, 0, 0), wait * 1_000, talk * 1_000);
        let (offer, by) = (OfferId(1), Party::Caller);
        facts.push(QueueEvent::Answered { at, call, offer, agent: agent.clone(), wait_us });
        facts.push(QueueEvent::Ended { at, call, agent, by, talk_us });
    }
    for (reason, wait) in others {
        let wait_us = wait * 1_000;
        facts.push(QueueEvent::Exited { at: at(9, 0, 0), call: call(), reason: *reason, wait_us });
    }
    Handling::of(&facts)
}

/// The columns of Q-324: handling, wait of the answered, wait of all, longest wait, talk.
fn columns(day: &Handling) -> [u64; 5] {
    let all = [
        day.average_handling(),
        day.average_wait_of_answered(),
        day.average_wait(),
        day.longest_wait,
        day.average_talk(),
    ];
    all.map(|it| it.as_secs())
}

#[test]
fn q_079_q_324_handling_is_the_wait_and_the_talk_of_the_answered_calls_of_q_325() {
    let (miss, leave) = (Exit::MaxWait, Exit::CallerHangup);
    let pre_sales = day(
        &[(11_500, 45_800), (11_500, 45_800), (11_500, 45_800), (11_500, 45_800), (11_500, 45_800)],
        &[
            (miss, 102_000),
            (miss, 30_000),
            (miss, 30_000),
            (miss, 30_000),
            (leave, 14_000),
            (leave, 14_000),
            (leave, 14_000),
            (leave, 14_000),
        ],
    );
    assert_eq!((pre_sales.answered, pre_sales.total), (5, 13));
    assert_eq!(columns(&pre_sales), [57, 11, 23, 102, 45]);

    let support = day(&[(8_000, 58_000); 4], &[(leave, 5_000), (leave, 5_000)]);
    assert_eq!(columns(&support), [66, 8, 7, 8, 58]);
}

#[test]
fn q_079_q_307_q_341_the_total_of_several_days_is_made_from_their_calls() {
    let days = [
        day(&[(6_000, 9_000); 5], &[(Exit::MaxWait, 6_000), (Exit::CallerHangup, 11_000)]),
        day(&[(5_600, 8_000); 7], &[(Exit::CallerHangup, 12_000)]),
        day(&[(8_500, 58_000); 4], &[(Exit::CallerHangup, 15_000)]),
    ];
    assert_eq!(columns(&days[0])[0], 15);
    assert_eq!(columns(&days[1])[0], 13);
    assert_eq!(columns(&days[2])[0], 66);

    let all = days.iter().fold(Handling::default(), |all, day| all.with(day));

    assert_eq!(all.answered, 16);
    assert_eq!(columns(&all)[..2], [27, 6], "weighted, not the mean of the rows");
    assert_eq!(columns(&all)[3..], [15, 20]);
}

#[test]
fn q_079_q_305_without_answered_calls_handling_is_nothing() {
    assert_eq!(columns(&Handling::default()), [0; 5]);
    assert_eq!(columns(&day(&[], &[(Exit::MaxWait, 30_000)])), [0, 0, 30, 30, 0]);
}
