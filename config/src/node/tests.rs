#![allow(clippy::unwrap_used)]
use super::{DEFAULTS, load};

#[test]
fn the_sample_is_the_default() {
    assert_eq!(load(DEFAULTS, &[], 3).unwrap(), load("", &[], 3).unwrap());
}

#[test]
fn every_problem_is_listed_with_line_and_hint() {
    let text =
        "version = 1\n[sip]\nrealmm = \"x\"\nmax_calls = \"many\"\n[media]\nbackend = \"uring\"\n";

    let problems = load(text, &[], 3).unwrap_err();

    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{shown:?}");
    assert!(shown[0].contains("line 3") && shown[0].contains("did you mean realm?"), "{shown:?}");
    assert!(shown[1].contains("line 4: sip.max_calls"), "{shown:?}");
    assert!(shown[2].contains("line 6: media.backend"), "{shown:?}");
}

#[test]
fn a_broken_rule_names_its_line() {
    let problems = load("[media]\nbackend = \"uring\"\n", &[], 3).unwrap_err();

    assert_eq!(problems[0].line, Some(2));
    assert_eq!(problems[0].hint, "tokio or epoll");
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    assert_eq!(load("version = 1\n[sip\n", &[], 3).unwrap_err()[0].line, Some(2));
}

#[test]
fn overrides_win_over_the_file() {
    let set = [("sip.realm".to_owned(), "office".to_owned())];

    assert_eq!(load("[sip]\nrealm = \"file\"\n", &set, 3).unwrap().sip.realm, "office");
}

#[test]
fn an_override_of_nothing_is_a_problem() {
    let problems = load("", &[("sip.relm".to_owned(), "x".to_owned())], 3).unwrap_err();

    assert_eq!(problems[0].key, "sip.relm");
}

#[test]
fn a_level_that_this_build_does_not_speak_is_a_problem() {
    let problems = load("[cluster]\nlevel = 4\n", &[], 3).unwrap_err();

    assert_eq!((problems[0].line, &*problems[0].key), (Some(2), "cluster.level"));
    assert!(load("[cluster]\nlevel = 3\n", &[], 3).is_ok());
}
