use super::*;
use crate::entity;

const RULES: [(&str, Rule); 2] = [("6400", DYNAMIC), ("6401", STATIC)];

fn fold(events: &[AgentEvent]) -> Facts {
    let mut facts = Facts::default();
    for event in events {
        facts.evolve(event);
    }
    facts
}

#[test]
fn q_195_log_in_pause_and_wrap_up_survive_a_restart() {
    let mut before = Bench::new(&RULES);
    before.command(Command::LogIn(Scope::All)).unwrap();
    before.command(Command::Pause(Scope::Queue("6400".into()), Some("*01".into()))).unwrap();
    before.pass_all();
    before.talk("6401", 1);
    before.finish("6401", 1, 60);
    let facts = fold(&before.events);
    assert_eq!(facts, *before.agent.facts());

    let mut after = Bench::with(&RULES, Settings::default(), facts);

    assert_eq!(after.events, [], "nothing new happened");
    assert_eq!(after.agent.view().memberships, before.agent.view().memberships);
    assert!(!after.agent.is_ready("6401"));
    after.wait_secs(60);
    assert!(after.agent.is_ready("6401"), "the rest ends when it would have ended");
}

#[test]
fn a_new_actor_says_so_once() {
    let mut bench = Bench::new(&RULES);
    let fresh = |told: Vec<(String, FromAgent)>| {
        let fresh = told
            .iter()
            .filter(|(_, message)| matches!(message, FromAgent::Standing { fresh: true, .. }));
        fresh.count()
    };

    assert_eq!(fresh(bench.told()), 2);
    bench.step(Input::Registered(false)).unwrap();
    assert_eq!(fresh(bench.told()), 0);
}

#[test]
fn a_new_actor_of_a_queue_is_told_the_standing_and_frees_the_agent() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.hear("6400", ToAgent::Hello);

    let standings = bench.standings();
    assert!(standings["6400"].0.ready && standings["6400"].1.is_some());
    assert!(bench.agent.held().is_none());
}

#[test]
fn a_queue_that_begins_after_a_new_actor_is_told_that_it_is_new() {
    let mut bench = Bench::new(&RULES);
    let is_fresh = |bench: &mut Bench| {
        let told = bench.told();
        let fresh =
            told.iter().filter(|(_, it)| matches!(it, FromAgent::Standing { fresh: true, .. }));
        fresh.map(|(queue, _)| queue.clone()).collect::<Vec<_>>()
    };
    bench.told();

    bench.hear("6401", ToAgent::Hello);
    assert_eq!(is_fresh(&mut bench), ["6401"], "nobody may have heard the first word");
    bench.hear("6401", ToAgent::Hello);
    assert!(is_fresh(&mut bench).is_empty(), "the queue of before has told of the talks");
}

#[test]
fn a_queue_that_was_moved_is_told_the_standing_and_frees_the_agent() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    bench.reserve("6400", 1, 0, 0);
    bench.seen.clear();

    bench.step(Input::QueueMoved { queue: "6400".into() }).unwrap();

    let standings = bench.standings();
    assert!(standings["6400"].0.ready && standings["6400"].1.is_some());
    assert!(bench.agent.held().is_none());
}

#[test]
fn a_new_actor_learns_of_its_talks_from_the_queue() {
    let mut bench = Bench::new(&RULES);
    let wrap_up = Duration::from_secs(5);
    bench.hear("6401", ToAgent::Answered { offer: OfferId(0), call: call(3), wrap_up });
    assert_eq!(bench.agent.view().activity, Activity::Talking);

    bench.hear("6401", ToAgent::Finished { call: call(3), wrap_up });

    assert_eq!(bench.agent.view().activity, Activity::WrapUp);
}

#[test]
fn the_bytes_of_events_stay_readable() {
    let at = Timestamp::from_micros(1_000_001);
    let (queue, source) = ("6400".to_owned(), Source::Phone);
    let (queues, reason) = (vec![queue.clone()], Some("*01".to_owned()));
    let membership = Membership::Dynamic;
    let events = [
        AgentEvent::Added { at, queue: queue.clone(), membership, logged_in: true },
        AgentEvent::Removed { at, queue: queue.clone() },
        AgentEvent::LoggedIn { at, queues: queues.clone(), source },
        AgentEvent::LoggedOut { at, queues: queues.clone(), source: Source::Api },
        AgentEvent::Paused { at, queues: queues.clone(), reason: reason.clone(), source },
        AgentEvent::ReasonChanged { at, queues: queues.clone(), reason, source },
        AgentEvent::Resumed { at, queues, source: Source::PanelManager },
        AgentEvent::WrapUpStarted { at, queue: queue.clone(), call: call(0x0102), until: at },
        AgentEvent::WrapUpEnded { at, queue: queue.clone() },
        AgentEvent::AutoPaused { at, queue, missed: vec![call(0x0102)] },
    ];
    let golden = include_str!("events.hex");
    let lines: Vec<String> = events
        .iter()
        .map(|event| {
            let bytes = entity::encode(event);
            let read: AgentEvent = entity::decode(&bytes).unwrap();
            assert_eq!(read, *event);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} {hex}", event.name())
        })
        .collect();
    assert_eq!(lines, golden.lines().collect::<Vec<_>>(), "{}", lines.join("\n"));
}

#[test]
fn what_another_member_of_the_cluster_wrote_holds_here_as_well() {
    let mut here = Bench::new(&RULES);
    here.command(Command::LogIn(Scope::All)).unwrap();
    here.pass_all();
    let mut elsewhere = Bench::with(&RULES, Settings::default(), here.agent.facts().clone());
    elsewhere.command(Command::Pause(Scope::Queue("6400".into()), None)).unwrap();
    elsewhere.pass_all();
    elsewhere.talk("6401", 1);
    elsewhere.finish("6401", 1, 60);
    let before = here.events.len();

    here.step(Input::Facts(elsewhere.agent.facts().clone())).unwrap();

    assert_eq!(here.events.len(), before, "nothing new happened");
    assert!(!here.agent.is_ready("6400") && !here.agent.is_ready("6401"));
    let standings = here.standings();
    assert!(standings["6400"].0.paused.is_some() && !standings["6401"].0.ready);
    here.wait_secs(60);
    assert!(!here.agent.is_ready("6400"));
    assert!(here.agent.is_ready("6401"), "the rest ends here, too");
}
