#![allow(clippy::unwrap_used)]
use super::{DEFAULTS, load};

#[test]
fn the_sample_is_the_default() {
    assert_eq!(load(DEFAULTS, &[]).unwrap(), load("", &[]).unwrap());
}

#[test]
fn every_problem_is_listed_with_line_and_hint() {
    let text =
        "version = 1\n[sip]\nrealmm = \"x\"\nmax_calls = \"many\"\n[media]\nbackend = \"uring\"\n";

    let problems = load(text, &[]).unwrap_err();

    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{shown:?}");
    assert!(shown[0].contains("line 3") && shown[0].contains("did you mean realm?"), "{shown:?}");
    assert!(shown[1].contains("line 4: sip.max_calls"), "{shown:?}");
}

#[test]
fn a_broken_rule_names_its_line() {
    let problems = load("[media]\nbackend = \"uring\"\n", &[]).unwrap_err();

    assert_eq!(problems[0].line, Some(2));
    assert_eq!(problems[0].hint, "tokio or epoll");
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    assert_eq!(load("version = 1\n[sip\n", &[]).unwrap_err()[0].line, Some(2));
}

#[test]
fn overrides_win_over_the_file() {
    let set = [("sip.realm".to_owned(), "office".to_owned())];

    assert_eq!(load("[sip]\nrealm = \"file\"\n", &set).unwrap().sip.realm, "office");
}

#[test]
fn an_override_of_nothing_is_a_problem() {
    let problems = load("", &[("sip.relm".to_owned(), "x".to_owned())]).unwrap_err();

    assert_eq!(problems[0].key, "sip.relm");
}
