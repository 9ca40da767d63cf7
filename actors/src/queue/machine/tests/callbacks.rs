//! Requests for a callback.

use tandem_config::resource::{CallbackMethod, Destination, RingStrategy};

use super::super::REGISTERED_WITHIN;
use super::*;
use crate::office::CallbackState;
use crate::queue::QueueWord;
use crate::queue::request::{CallbackFailure, Order, Word};

const OUTBOUND: u128 = 900;

/// By key 2; a custom timeout when there is one.
fn by_key(agents: &[&str], max_wait: u32, timeout: u32) -> Config {
    let mut config = config(RingStrategy::Linear, agents);
    config.max_wait_secs = max_wait;
    config.callback.enabled = true;
    config.callback.key = "2".into();
    config.callback.outbound_prefix = "9".into();
    config.callback.timeout_secs = timeout;
    config
}

fn says(bench: &mut Bench, number: u128, word: Word) -> Result<(), Refused> {
    bench.step(Input::Callback { call: call(number), word })
}

fn press(bench: &mut Bench, number: u128, digit: char) {
    bench.step(Input::Digit { call: call(number), digit }).unwrap();
}

/// The caller asks by key, confirms a number and hangs up.
fn register(bench: &mut Bench, number: u128, to: &str) {
    press(bench, number, '2');
    says(bench, number, Word::Registered(Some(to.into()))).unwrap();
    let gone = Input::Gone { call: call(number), reason: Exit::CallbackRequested };
    bench.step(gone).unwrap();
}

/// One caller who has asked and hung up; agents are free from now on.
fn requested(config: Config) -> Bench {
    let mut bench = Bench::new(config);
    bench.join(1);
    register(&mut bench, 1, "5550199");
    bench
}

fn frees(bench: &mut Bench, agents: &[&str]) {
    for agent in agents {
        bench.stands(agent, free(START));
    }
}

/// The agent who rings answers; the call that was made asks to dial.
fn reach(bench: &mut Bench, number: u128) -> Result<(), Refused> {
    let (offer, _) = bench.ring(number);
    says(bench, number, Word::AgentReached { offer, callback: call(OUTBOUND) })
}

fn connect(bench: &mut Bench, number: u128) -> Result<(), Refused> {
    says(bench, number, Word::Connected { callback: call(OUTBOUND) })
}

fn over(bench: &mut Bench, number: u128, why: CallbackFailure) -> Result<(), Refused> {
    says(bench, number, Word::Over { callback: call(OUTBOUND), why })
}

fn failures(bench: &Bench) -> Vec<(CallId, CallbackFailure, u64)> {
    let failed = bench.events.iter().filter_map(|event| match event {
        QueueEvent::CallbackFailed { call, reason, wait_us, .. } => {
            Some((*call, *reason, wait_us / 1_000_000))
        }
        _ => None,
    });
    failed.collect()
}

fn failed(bench: &Bench) -> Option<CallbackFailure> {
    failures(bench).first().map(|(_, reason, _)| *reason)
}

fn names(bench: &Bench) -> Vec<&'static str> {
    bench.events.iter().map(QueueEvent::name).collect()
}

fn started(bench: &Bench) -> usize {
    names(bench).iter().filter(|name| **name == "callback.started").count()
}

/// Orders that go out with the commit.
fn orders(bench: &Bench) -> Vec<(CallId, Order)> {
    let kept = bench.seen.iter().filter_map(|effect| match effect {
        Effect::NotifyKept { call, notice: QueueNotice::Callback(order) } => Some((*call, *order)),
        _ => None,
    });
    kept.collect()
}

fn sent(bench: &Bench) -> usize {
    bench.seen.iter().filter(|effect| matches!(effect, Effect::CallBack(_))).count()
}

/// Total, answered, missed, abandoned.
fn counts(bench: &Bench) -> [u64; 4] {
    let it = bench.queue.facts().counters;
    assert_eq!(it.total, it.answered + it.missed + it.abandoned, "Q-131");
    [it.total, it.answered, it.missed, it.abandoned]
}

/// Requested = succeeded + failed + merged + open.
fn tally(bench: &Bench) -> [u64; 4] {
    let requests = &bench.queue.facts().requests;
    let it = requests.tally;
    let open = requests.open.len() as u64;
    assert_eq!(it.requested, it.succeeded + it.failed + it.merged + open, "Q-345");
    [it.requested, it.succeeded, it.failed, it.merged]
}

fn restart(bench: &Bench, alive: &[CallId]) -> Bench {
    let mut facts = Facts::default();
    for event in &bench.events {
        facts.evolve(event);
    }
    assert_eq!(facts, *bench.queue.facts());
    let mut again = Bench {
        queue: Queue::new(bench.queue.config().clone(), facts),
        now: bench.now,
        seen: Vec::new(),
        events: Vec::new(),
        standings: BTreeMap::new(),
        timers: BTreeSet::new(),
        granting: true,
    };
    let alive = alive.iter().copied().collect();
    again.step(Input::Opened { seed: 7, alive, patience: Duration::ZERO }).unwrap();
    again
}

#[test]
fn q_140_q_151_q_159_the_agent_is_called_first_then_the_customer_and_it_counts_as_answered() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    assert_eq!(orders(&bench), [(call(1), Order::Kept)], "the caller is told after the commit");
    assert_eq!(counts(&bench), [0; 4], "Q-158: nothing is counted yet");
    bench.wait_secs(20);
    frees(&mut bench, &["1"]);

    let made = bench.seen.iter().find_map(|effect| match effect {
        Effect::CallBack(made) => Some(made.clone()),
        _ => None,
    });
    let made = made.unwrap();
    assert_eq!((made.place, made.number.as_str()), (call(1), "5550199"));
    assert_eq!((made.prefix.as_str(), made.joined_at), ("9", START), "Q-152");
    bench.wait_secs(5);
    reach(&mut bench, 1).unwrap();
    assert_eq!(orders(&bench).last(), Some(&(call(1), Order::Dial)));
    bench.wait_secs(5);
    connect(&mut bench, 1).unwrap();

    assert_eq!(counts(&bench), [1, 1, 0, 0]);
    assert_eq!(tally(&bench), [1, 1, 0, 0]);
    assert!(bench.events.contains(&QueueEvent::CallbackSucceeded {
        at: bench.now,
        call: call(1),
        callback: call(OUTBOUND),
        agent: "1".into(),
        wait_us: 30_000_000,
    }));
    let view = bench.queue.view();
    assert!(view.waiting.is_empty() && view.active[0].is_callback, "Q-156");
    assert_eq!(view.active[0].call, call(OUTBOUND));
    bench.hang_up(OUTBOUND, "1");
    assert!(bench.queue.view().active.is_empty());
}

#[test]
fn q_148_q_156_a_request_keeps_its_place_before_those_who_came_later() {
    let mut bench = Bench::new(by_key(&["1"], 300, 0));
    bench.join(1);
    bench.join(2);
    register(&mut bench, 1, "5550199");
    bench.join(3);

    let line = bench.queue.view().waiting;

    let marked: Vec<_> = line.iter().map(|it| (it.call, it.is_callback)).collect();
    assert_eq!(marked, [(call(1), true), (call(2), false), (call(3), false)]);
    frees(&mut bench, &["1"]);
    assert_eq!(bench.ring(1).1, "1", "the request is served first");
    assert_eq!(bench.queue.callbacks()[0].state, CallbackState::Ringing);
}

#[test]
fn q_120_a_request_takes_no_slot_of_the_limit() {
    let mut config = by_key(&["1"], 0, 0);
    config.max_callers = 1;
    let mut bench = requested(config);

    bench.join(2);
    bench.join(3);

    assert_eq!(bench.exit(2), None);
    assert_eq!(bench.exit(3), Some(Exit::MaxCallers));
}

#[test]
fn q_162_nobody_rings_for_a_caller_who_registers_and_who_cancels_waits_on() {
    let mut bench = Bench::staffed(by_key(&["1"], 300, 0));
    bench.join(1);
    bench.join(2);
    let (offer, _) = bench.ring(1);

    press(&mut bench, 1, '2');
    let notices = bench.notices(1);
    assert!(notices.contains(&QueueNotice::Withdraw { offer, elsewhere: false }));
    assert_eq!(notices.last(), Some(&QueueNotice::Callback(Order::Register)));
    let (next, _) = bench.ring(2);
    bench.step(Input::OfferEnded { call: call(2), offer: next, why: OfferEnd::TimedOut }).unwrap();
    bench.wait_secs(4);
    says(&mut bench, 1, Word::NotRegistered).unwrap();

    assert_eq!(bench.ring(1).1, "1", "at the old place, before caller 2");
}

#[test]
fn q_162_an_answer_that_crosses_the_key_counts() {
    let mut bench = Bench::staffed(by_key(&["1"], 300, 0));
    bench.join(1);
    let (offer, _) = bench.ring(1);
    press(&mut bench, 1, '2');

    bench.step(Input::OfferAnswered { call: call(1), offer }).unwrap();

    assert_eq!(bench.exit(1), Some(Exit::Answered));
}

#[test]
fn a_call_that_says_nothing_while_it_registers_gets_its_place_back() {
    let mut bench = Bench::staffed(by_key(&["1"], 0, 0));
    bench.join(1);
    press(&mut bench, 1, '2');

    bench.wait(REGISTERED_WITHIN);

    assert_eq!(bench.ring(1).1, "1");
}

#[test]
fn q_132_a_caller_who_hangs_up_before_the_number_is_confirmed_has_abandoned() {
    let mut bench = Bench::new(by_key(&["1"], 300, 0));
    bench.join(1);
    press(&mut bench, 1, '2');

    bench.step(Input::Gone { call: call(1), reason: Exit::CallerHangup }).unwrap();

    assert_eq!(counts(&bench), [1, 0, 0, 1]);
    assert_eq!(tally(&bench), [0; 4]);
}

#[test]
fn q_147_vector_20_a_number_with_4_digits_is_rejected_and_counts_as_missed() {
    for number in [Some("5550"), Some("55a501"), None] {
        let mut bench = Bench::new(by_key(&["1"], 300, 0));
        bench.join(1);
        bench.wait_secs(28);
        press(&mut bench, 1, '2');

        says(&mut bench, 1, Word::Registered(number.map(str::to_owned))).unwrap();

        assert_eq!(failures(&bench), [(call(1), CallbackFailure::InvalidNumber, 28)]);
        assert_eq!(counts(&bench), [1, 0, 1, 0]);
        assert_eq!(tally(&bench), [1, 0, 1, 0]);
    }
}

#[test]
fn q_147_the_own_number_may_be_shorter() {
    let mut bench = Bench::new(by_key(&["1"], 300, 0));
    bench.join(1);

    register(&mut bench, 1, "01");

    assert_eq!(bench.queue.callbacks()[0].number, "01");
}

#[test]
fn q_149_q_150_q_154_without_an_idle_agent_the_request_fails_counted_from_the_entry() {
    for (max_wait, custom, end) in [(300, 0, 300), (300, 180, 180)] {
        let mut bench = Bench::new(by_key(&["1"], max_wait, custom));
        bench.join(1);
        bench.wait_secs(30);
        register(&mut bench, 1, "5550199");

        bench.wait_secs(end - 31);
        assert_eq!(failed(&bench), None);
        bench.wait_secs(2);

        assert_eq!(failures(&bench), [(call(1), CallbackFailure::NoIdleAgent, end)]);
        assert_eq!(counts(&bench), [1, 0, 1, 0], "Q-159: missed");
    }
}

#[test]
fn q_149_a_queue_without_a_limit_keeps_the_request() {
    let mut bench = requested(by_key(&["1"], 0, 0));

    bench.wait_secs(86_400);

    assert_eq!(bench.queue.callbacks()[0].expires_at, None);
}

#[test]
fn q_150_a_request_whose_time_passed_in_the_dialogue_fails_at_its_end() {
    let mut bench = Bench::new(by_key(&["1"], 30, 0));
    bench.join(1);
    bench.wait_secs(20);
    press(&mut bench, 1, '2');
    bench.wait_secs(21);
    assert_eq!(bench.exit(1), None, "the dialogue may end");
    frees(&mut bench, &["1"]);

    says(&mut bench, 1, Word::Registered(Some("5550199".into()))).unwrap();

    assert_eq!(failures(&bench), [(call(1), CallbackFailure::NoIdleAgent, 41)]);
    assert_eq!(orders(&bench), [(call(1), Order::Kept)], "the call may end");
}

#[test]
fn q_151_an_agent_who_does_not_answer_is_followed_by_the_next_one() {
    let mut bench = requested(by_key(&["1", "2"], 300, 0));
    frees(&mut bench, &["1", "2"]);

    bench.end_ring(1, OfferEnd::TimedOut);
    bench.wait_secs(5);

    assert_eq!(bench.ring(1).1, "2");
    assert_eq!(sent(&bench), 1, "by the same call");
    assert_eq!(failed(&bench), None);
}

#[test]
fn q_154_an_agent_who_declines_ends_the_request() {
    let mut bench = requested(by_key(&["1", "2"], 300, 0));
    frees(&mut bench, &["1", "2"]);

    bench.end_ring(1, OfferEnd::Rejected);

    assert_eq!(failed(&bench), Some(CallbackFailure::AgentHungUp));
}

#[test]
fn q_154_with_ring_all_others_ring_on_when_one_declines() {
    let mut config = by_key(&["1", "2"], 300, 0);
    config.ring_strategy = RingStrategy::RingAll;
    let mut bench = requested(config);
    frees(&mut bench, &["1", "2"]);

    bench.end_ring(1, OfferEnd::Rejected);
    assert_eq!(failed(&bench), None);
    reach(&mut bench, 1).unwrap();
    connect(&mut bench, 1).unwrap();

    assert_eq!(counts(&bench), [1, 1, 0, 0]);
}

#[test]
fn q_154_what_the_call_says_of_the_dialling_is_the_reason() {
    for why in [CallbackFailure::CustomerNoAnswer, CallbackFailure::AgentHungUp] {
        let mut bench = requested(by_key(&["1"], 300, 0));
        frees(&mut bench, &["1"]);
        reach(&mut bench, 1).unwrap();

        over(&mut bench, 1, why).unwrap();

        assert_eq!(failed(&bench), Some(why));
        assert_eq!(counts(&bench), [1, 0, 1, 0]);
        assert_eq!(connect(&mut bench, 1), Err(Refused::NoRequest), "Q-155: it is closed");
    }
}

#[test]
fn q_155_the_dialling_begins_once_whatever_is_said_again() {
    let mut bench = requested(by_key(&["1"], 30, 0));
    frees(&mut bench, &["1"]);
    let (offer, _) = bench.ring(1);
    reach(&mut bench, 1).unwrap();

    let again = Word::AgentReached { offer, callback: call(OUTBOUND + 1) };
    assert_eq!(says(&mut bench, 1, again), Err(Refused::Dialling));
    bench.wait_secs(60);

    assert_eq!(started(&bench), 1);
    assert_eq!(failed(&bench), None, "the timeout is about agents, not about the customer");
    connect(&mut bench, 1).unwrap();
}

#[test]
fn q_160_a_second_request_for_the_same_number_replaces_the_first() {
    let mut bench = Bench::new(by_key(&["1"], 300, 0));
    bench.join(1);
    bench.join(2);
    register(&mut bench, 1, "5550199");

    register(&mut bench, 2, "5550199");

    assert_eq!(failures(&bench), [(call(1), CallbackFailure::Replaced, 0)]);
    let open: Vec<_> = bench.queue.callbacks().iter().map(|it| it.call).collect();
    assert_eq!(open, [call(2)]);
}

/// Caller 7 has asked, and calls again as call 8 behind others.
fn called_again(agents: &[&str]) -> Bench {
    let mut bench = Bench::new(by_key(agents, 300, 0));
    bench.join(7);
    register(&mut bench, 7, "5550199");
    bench.join(2);
    bench.wait_secs(10);
    let (caller, caller_name) = ("5550199".to_owned(), String::new());
    bench.step(Input::Join { call: call(8), stay: 1, caller, caller_name }).unwrap();
    bench
}

#[test]
fn q_160_a_customer_who_calls_again_stands_in_the_place_of_the_request() {
    let mut bench = called_again(&["1"]);
    assert_eq!(bench.notices(8), [QueueNotice::Joined { position: 1 }]);
    assert_eq!(bench.queue.callbacks()[0].state, CallbackState::Online);
    frees(&mut bench, &["1"]);

    assert_eq!(bench.answer(8), "1");

    assert_eq!((counts(&bench), tally(&bench)), ([1, 1, 0, 0], [1, 0, 0, 1]));
    assert_eq!(started(&bench), 0, "nobody dials whom an agent has talked with");
}

#[test]
fn q_160_the_request_stands_again_when_that_call_hangs_up() {
    let mut bench = called_again(&["1"]);

    bench.step(Input::Gone { call: call(8), reason: Exit::CallerHangup }).unwrap();

    assert_eq!((counts(&bench), tally(&bench)), ([0; 4], [1, 0, 0, 0]), "nobody has abandoned");
    let open = &bench.queue.callbacks()[0];
    assert_eq!((open.call, open.position, open.joined_at), (call(8), 1, START));
    frees(&mut bench, &["1"]);
    reach(&mut bench, 8).unwrap();
    connect(&mut bench, 8).unwrap();
    assert_eq!((counts(&bench), tally(&bench)), ([1, 1, 0, 0], [1, 1, 0, 0]));
}

#[test]
fn q_160_while_agents_ring_for_the_request_the_customer_who_calls_takes_over() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    frees(&mut bench, &["1"]);
    let (offer, _) = bench.ring(1);
    let (caller, caller_name) = ("5550199".to_owned(), String::new());

    bench.step(Input::Join { call: call(8), stay: 1, caller, caller_name }).unwrap();

    let late = Word::AgentReached { offer, callback: call(OUTBOUND) };
    assert_eq!(says(&mut bench, 1, late), Err(Refused::NoRequest), "not dialled any more");
    assert_eq!(bench.ring(8).1, "1", "the agent rings for the customer in person");
}

#[test]
fn q_161_a_restart_keeps_the_request_its_place_and_its_time() {
    let mut bench = Bench::new(by_key(&["1"], 60, 0));
    bench.join(1);
    register(&mut bench, 1, "5550199");
    bench.join(2);
    bench.wait_secs(30);

    let mut again = restart(&bench, &[]);

    let open = again.queue.callbacks();
    assert_eq!((open[0].call, open[0].number.as_str()), (call(1), "5550199"));
    assert_eq!(again.exit(2), Some(Exit::System), "an ordinary caller is gone with the node");
    again.wait_secs(29);
    assert_eq!(failed(&again), None);
    again.wait_secs(2);
    assert_eq!(failures(&again), [(call(1), CallbackFailure::NoIdleAgent, 60)]);
}

#[test]
fn q_161_a_request_whose_time_passed_while_the_node_was_down_fails_at_once() {
    let mut bench = requested(by_key(&["1"], 60, 0));
    bench.now = bench.now + Duration::from_secs(61);

    let again = restart(&bench, &[]);

    assert_eq!(failed(&again), Some(CallbackFailure::NoIdleAgent));
}

#[test]
fn q_155_q_161_a_restart_while_the_customer_is_dialled_settles_the_request_and_dials_nobody() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    frees(&mut bench, &["1"]);
    reach(&mut bench, 1).unwrap();

    let mut again = restart(&bench, &[]);
    frees(&mut again, &["1"]);

    assert_eq!(failed(&again), Some(CallbackFailure::Interrupted));
    assert_eq!(sent(&again) + orders(&again).len(), 0);
    assert_eq!(counts(&again), [1, 0, 1, 0]);
}

#[test]
fn q_161_a_call_that_dials_goes_on_when_only_the_queues_actor_begins_again() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    frees(&mut bench, &["1"]);
    reach(&mut bench, 1).unwrap();

    let mut again = restart(&bench, &[call(1)]);
    assert_eq!(orders(&again), [(call(1), Order::Dial)], "the order may be lost");
    assert_eq!(sent(&again), 0);
    connect(&mut again, 1).unwrap();

    assert_eq!(counts(&again), [1, 1, 0, 0]);
}

#[test]
fn a_call_that_is_lost_before_it_dials_is_made_again_and_one_that_dialled_is_not() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    frees(&mut bench, &["1"]);
    let lost = Input::Gone { call: call(1), reason: Exit::System };
    bench.step(lost.clone()).unwrap();
    bench.wait_secs(6);
    assert_eq!(sent(&bench), 2, "made again after a rest");
    reach(&mut bench, 1).unwrap();

    bench.step(lost).unwrap();

    assert_eq!(failed(&bench), Some(CallbackFailure::Interrupted));
}

#[test]
fn a_request_can_be_taken_back_until_the_customer_is_dialled() {
    let mut bench = requested(by_key(&["1"], 300, 0));
    let cancel = Input::CancelCallback { call: call(1) };
    let mut other = requested(by_key(&["1"], 300, 0));
    frees(&mut other, &["1"]);
    reach(&mut other, 1).unwrap();

    bench.step(cancel.clone()).unwrap();

    assert_eq!(failed(&bench), Some(CallbackFailure::Cancelled));
    assert_eq!(bench.step(cancel.clone()), Err(Refused::NoRequest));
    assert_eq!(other.step(cancel), Err(Refused::Dialling));
}

#[test]
fn q_029_the_requests_of_a_removed_queue_fail() {
    let mut bench = requested(by_key(&["1"], 300, 0));

    bench.step(Input::Remove).unwrap();

    assert_eq!(failed(&bench), Some(CallbackFailure::QueueRemoved));
    assert!(bench.seen.contains(&Effect::Closed));
}

#[test]
fn q_122_a_request_does_not_leave_an_empty_queue() {
    let mut config = by_key(&["1"], 300, 0);
    config.leave_empty.enabled = true;
    let mut bench = Bench::staffed(config);
    let mut paused = free(START);
    (paused.paused, paused.ready) = (Some(None), false);
    bench.join(1);
    register(&mut bench, 1, "5550199");
    bench.join(2);

    bench.stands("1", paused);

    assert_eq!(failed(&bench), None);
}

#[test]
fn q_143_q_145_q_146_by_timeout_the_callback_is_offered_again_and_again_and_needs_the_key() {
    let mut config = by_key(&[], 0, 0);
    config.callback.method = CallbackMethod::ByTimeout;
    config.callback.trigger_timeout_secs = 20;
    config.prompts.announcement_interval_secs = 30;
    config.key_events = [("2".to_owned(), Destination::EndCall)].into();
    let mut bench = Bench::new(config);
    bench.join(1);
    press(&mut bench, 1, '1');
    bench.wait_secs(19);
    assert_eq!(bench.notices(1), [QueueNotice::Joined { position: 1 }], "not before its time");

    bench.wait_secs(62);
    let offer = QueueNotice::Callback(Order::Offer);
    assert_eq!(bench.notices(1), [offer.clone(), offer.clone(), offer]);
    press(&mut bench, 1, '1');

    assert_eq!(bench.notices(1), [QueueNotice::Callback(Order::Register)]);
}

#[test]
fn q_140_without_the_switch_the_key_means_nothing() {
    let mut config = by_key(&[], 0, 0);
    config.callback.enabled = false;
    let mut bench = Bench::new(config);
    bench.join(1);
    bench.notices(1);

    press(&mut bench, 1, '2');

    assert_eq!(bench.notices(1), []);
}

#[test]
fn snapshots_from_before_there_were_callbacks_and_service_levels_are_read() {
    let mut bench = Bench::staffed(config(RingStrategy::Linear, &["1"]));
    bench.join(1);
    let facts = bench.queue.facts();
    let now = tandem_wire::encode_versioned(facts);
    let level = tandem_wire::encode(&(&facts.level, &facts.window)).len();
    let none = tandem_wire::encode(&crate::queue::request::Requests::default()).len();
    let second = [&2u16.to_le_bytes(), &now[2..now.len() - level]].concat();
    let first = [&1u16.to_le_bytes(), &now[2..now.len() - level - none]].concat();

    assert_eq!(Facts::read(&first, 1 << 20).unwrap(), *facts);
    assert_eq!(Facts::read(&second, 1 << 20).unwrap(), *facts);
    assert_eq!(Facts::read(&now, 1 << 20).unwrap(), *facts);
}

/// The end of the customer's first call is read when the call that was started in its place
/// rings agents already: neither is lost by that.
#[test]
fn q_148_the_end_of_the_first_call_of_a_customer_ends_nothing() {
    let mut bench = requested(by_key(&["1"], 0, 0));
    frees(&mut bench, &["1"]);
    let facts = bench.queue.facts();
    assert_eq!(facts.rings.len(), 1, "the agent rings for the request");

    let lost = QueueWord::CallLost { call: call(1) };
    assert_eq!(lost.inputs(facts), []);

    let mut waiting = Bench::new(by_key(&["1"], 0, 0));
    waiting.join(1);
    let gone = Input::Gone { call: call(1), reason: Exit::System };
    let lost = QueueWord::CallLost { call: call(1) };
    assert_eq!(lost.inputs(waiting.queue.facts()), [gone], "who waits in person is gone");
}
