use super::*;

const MIXED: [(&str, Rule); 3] = [("6400", DYNAMIC), ("6401", DYNAMIC), ("6402", STATIC)];

fn one(queue: &str) -> Scope {
    Scope::Queue(queue.to_owned())
}

fn logged_in(bench: &Bench) -> Vec<String> {
    let view = bench.agent.view().memberships.into_iter();
    view.filter(|it| it.logged_in).map(|it| it.queue).collect()
}

fn reason(bench: &Bench, queue: &str) -> Option<Option<String>> {
    bench.agent.facts().seats[queue].pause.as_ref().map(|pause| pause.reason.clone())
}

#[test]
fn q_062_static_agents_are_logged_in_and_dynamic_ones_are_not() {
    let bench = Bench::new(&MIXED);

    assert_eq!(logged_in(&bench), ["6402"]);
}

#[test]
fn q_194_dynamic_agents_start_logged_in_when_the_option_says_so() {
    let settings = Settings { dynamic_agents_start_logged_in: true, ..Settings::default() };
    let mut bench = Bench::with(&MIXED, settings, Facts::default());
    assert_eq!(logged_in(&bench), ["6400", "6401", "6402"]);

    bench.step(Input::Settings(Box::default())).unwrap();
    assert_eq!(logged_in(&bench).len(), 3, "who is in a queue already is not affected");
}

#[test]
fn q_186_a_static_agent_can_not_log_out() {
    let mut bench = Bench::new(&MIXED);

    assert_eq!(bench.command(Command::LogOut(one("6402"))), Err(Refused::Static));
    assert_eq!(bench.command(Command::ToggleLogin("6402".into())), Err(Refused::Static));
}

#[test]
fn q_211_the_code_toggles_the_log_in() {
    let mut bench = Bench::new(&MIXED);
    let toggle = || Command::ToggleLogin("6400".into());

    assert_eq!(bench.command(toggle()), Ok(Outcome::LoggedIn));
    assert_eq!(bench.command(toggle()), Ok(Outcome::LoggedOut));
}

#[test]
fn q_213_and_q_214_the_code_pauses_changes_the_reason_and_resumes() {
    let mut bench = Bench::new(&MIXED);
    let toggle =
        |reason: Option<&str>| Command::TogglePause("6402".into(), reason.map(str::to_owned));

    assert_eq!(bench.command(toggle(Some("*03"))), Ok(Outcome::Paused));
    assert_eq!(reason(&bench, "6402"), Some(Some("*03".into())));
    assert_eq!(bench.command(toggle(Some("*01"))), Ok(Outcome::Paused));
    assert!(matches!(bench.events.last(), Some(AgentEvent::ReasonChanged { .. })), "Q-200");
    assert_eq!(bench.command(toggle(Some("*01"))), Ok(Outcome::Resumed));
    assert_eq!(bench.command(toggle(None)), Ok(Outcome::Paused));
    assert_eq!(bench.command(toggle(None)), Ok(Outcome::Resumed));
    assert_eq!(bench.command(toggle(Some("*99"))), Err(Refused::UnknownReason("*99".into())));
}

#[test]
fn a_logged_out_agent_can_not_pause() {
    let mut bench = Bench::new(&MIXED);

    let refused = bench.command(Command::Pause(one("6400"), None));

    assert_eq!(refused, Err(Refused::LoggedOut));
}

#[test]
fn q_215_log_in_to_all_resumes_static_agents() {
    let mut bench = Bench::new(&MIXED);
    bench.command(Command::Pause(one("6402"), None)).unwrap();

    bench.command(Command::LogIn(Scope::All)).unwrap();

    assert_eq!(logged_in(&bench), ["6400", "6401", "6402"]);
    assert_eq!(reason(&bench, "6402"), None);
}

#[test]
fn q_217_log_out_of_all_leaves_static_agents_alone() {
    let mut bench = Bench::new(&MIXED);
    bench.command(Command::LogIn(Scope::All)).unwrap();

    assert_eq!(bench.command(Command::LogOut(Scope::All)), Ok(Outcome::LoggedOut));

    assert_eq!(logged_in(&bench), ["6402"]);
}

#[test]
fn q_199_and_q_216_the_last_queues_are_those_of_before_the_last_log_out() {
    let mut bench = Bench::new(&MIXED);
    bench.command(Command::LogIn(Scope::All)).unwrap();
    bench.command(Command::LogOut(Scope::All)).unwrap();
    bench.command(Command::LogInLast).unwrap();
    assert_eq!(logged_in(&bench), ["6400", "6401", "6402"]);

    bench.command(Command::LogOut(one("6400"))).unwrap();
    bench.command(Command::LogOut(one("6401"))).unwrap();
    bench.command(Command::LogInLast).unwrap();

    assert_eq!(logged_in(&bench), ["6401", "6402"]);
}

#[test]
fn q_201_commands_but_the_toggles_are_idempotent() {
    let mut bench = Bench::new(&MIXED);
    let all = || Scope::All;
    bench.command(Command::LogIn(all())).unwrap();
    bench.command(Command::Pause(all(), Some("*02".into()))).unwrap();
    let count = bench.events.len();

    bench.command(Command::LogIn(one("6400"))).unwrap();
    bench.command(Command::Pause(all(), Some("*02".into()))).unwrap();

    assert_eq!(bench.events.len(), count);
    bench.command(Command::Resume(all())).unwrap();
    bench.command(Command::Resume(all())).unwrap();
    assert_eq!(bench.events.len(), count + 1);
}

#[test]
fn q_188_a_pause_in_one_queue_leaves_the_other_one() {
    let mut bench = Bench::new(&[("6400", STATIC), ("6401", STATIC)]);

    bench.command(Command::Pause(one("6400"), None)).unwrap();

    assert!(!bench.agent.is_ready("6400"));
    assert!(bench.agent.is_ready("6401"));
}

#[test]
fn q_203_whoever_is_removed_from_a_queue_is_logged_out_of_it() {
    let mut bench = Bench::new(&MIXED);
    bench.command(Command::LogIn(Scope::All)).unwrap();

    let rules = BTreeMap::from([("6402".to_owned(), STATIC)]);
    bench.step(Input::Memberships(rules)).unwrap();

    assert_eq!(logged_in(&bench), ["6402"]);
    let removed = bench.events.iter().filter(|it| matches!(it, AgentEvent::Removed { .. }));
    assert_eq!(removed.count(), 2);
}

#[test]
fn a_queue_of_others_is_refused() {
    let mut bench = Bench::new(&MIXED);

    let refused = bench.command(Command::LogIn(one("6999")));

    assert_eq!(refused, Err(Refused::NotAMember("6999".into())));
    let nowhere = Bench::new(&[]).command(Command::LogIn(Scope::All));
    assert_eq!(nowhere, Err(Refused::NotAMember(String::new())));
}

#[test]
fn q_085_missed_calls_pause_the_agent_in_that_queue_only_and_once() {
    let mut bench = Bench::idle(&["6400", "6401"]);
    let calls = vec![call(1), call(2)];
    bench.hear("6400", ToAgent::Missed { calls: calls.clone() });
    bench.hear("6400", ToAgent::Missed { calls: calls.clone() });

    let at = START;
    let (queues, source) = (vec!["6400".to_owned()], Source::AutoPause);
    let made = [
        AgentEvent::Paused { at, queues, reason: None, source },
        AgentEvent::AutoPaused { at, queue: "6400".into(), missed: calls },
    ];
    assert_eq!(bench.events[bench.events.len() - 2..], made);
    assert!(!bench.agent.is_ready("6400") && bench.agent.is_ready("6401"));
    let paused = bench.events.iter().filter(|it| matches!(it, AgentEvent::Paused { .. }));
    assert_eq!(paused.count(), 1);
}
