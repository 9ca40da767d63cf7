use super::*;
use crate::agent::codes::parse;

fn read(dialled: &str) -> Option<Command> {
    parse(&Settings::default(), dialled)
}

fn queue(number: &str) -> String {
    number.to_owned()
}

#[test]
fn q_211_to_q_217_each_code_means_its_command() {
    let pause =
        |reason: Option<&str>| Some(Command::TogglePause(queue("6400"), reason.map(str::to_owned)));
    assert_eq!(read("*76400"), Some(Command::ToggleLogin(queue("6400"))));
    assert_eq!(read("*076400"), pause(None));
    assert_eq!(read("*076400*03"), pause(Some("*03")));
    assert_eq!(read("*77"), Some(Command::LogIn(Scope::All)));
    assert_eq!(read("*78"), Some(Command::LogInLast));
    assert_eq!(read("*077"), Some(Command::LogOut(Scope::All)));
}

#[test]
fn q_219_exact_codes_win_over_prefix_codes() {
    assert_eq!(read("*77"), Some(Command::LogIn(Scope::All)), "not a log-in to queue 7");
    assert_eq!(read("*7700"), Some(Command::ToggleLogin(queue("700"))));
    let settings = Settings {
        code_queue_login: "*1".into(),
        code_queue_pause: "*12".into(),
        ..Settings::default()
    };
    let longer = parse(&settings, "*126400");
    assert_eq!(longer, Some(Command::TogglePause(queue("6400"), None)));
}

#[test]
fn q_210_an_empty_code_is_switched_off() {
    let settings = Settings {
        code_queue_login: String::new(),
        code_login_all: String::new(),
        ..Settings::default()
    };
    assert_eq!(parse(&settings, "*76400"), None);
    assert_eq!(parse(&settings, "6400"), None);
    assert_eq!(parse(&settings, ""), None);
}

#[test]
fn what_is_no_code_is_left_to_others() {
    for dialled in ["", "*", "*7", "*07", "*7abc", "*076400*", "*07*03", "1001", "*53", "*7+886"] {
        assert_eq!(read(dialled), None, "{dialled}");
    }
}

#[test]
fn q_214_vector_11_an_agent_of_6400_who_dials_the_pause_code_with_03_is_paused_for_wrap_up() {
    let mut bench = Bench::idle(&["6400", "6401"]);

    assert_eq!(bench.command(read("*076400*03").unwrap()), Ok(Outcome::Paused));

    let paused = |queue: &str| bench.agent.facts().seats[queue].pause.as_ref();
    let reason = paused("6400").unwrap().reason.clone().unwrap();
    assert_eq!(Settings::default().pause_reasons[&reason], "Wrap up");
    assert_eq!(paused("6401"), None);
}

#[test]
fn q_211_vector_12_the_log_in_code_dialled_twice_logs_in_and_out() {
    let mut bench = Bench::new(&[("6400", DYNAMIC)]);
    let dialled = || read("*76400").unwrap();

    assert_eq!(bench.command(dialled()), Ok(Outcome::LoggedIn));
    assert_eq!(bench.command(dialled()), Ok(Outcome::LoggedOut));
}
