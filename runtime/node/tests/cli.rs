//! The command line as an operator meets it. That the binary is needed here also has it built with
//! the tests, for the wire tests to start.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn tandem(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem")).args(arguments).output().unwrap()
}

/// `tandem check` of a file with this text.
fn checked(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tandem.toml");
    std::fs::write(&file, text).unwrap();
    let output = tandem(&["check", "--config", file.to_str().unwrap()]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// sysexits.h: something was found in an unconfigured or misconfigured state.
const EX_CONFIG: Option<i32> = Some(78);

#[test]
fn check_lists_every_problem_with_its_line_and_a_hint() {
    let (code, said) = checked("[sip]\nlisten = \"x\"\n[http]\nbnd = 1\n");

    assert_eq!(code, EX_CONFIG, "{said}");
    assert!(said.contains("line 2: sip.listen"), "{said}");
    assert!(said.contains("line 4: http.bnd") && said.contains("did you mean bind?"), "{said}");
}

#[test]
fn check_is_content_with_the_sample_of_all_settings() {
    let (code, said) = checked(include_str!("../../../config/samples/tandem.toml"));

    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_command_that_is_none_is_refused_with_the_usage() {
    let output = tandem(&["fly"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: tandem"));
}
