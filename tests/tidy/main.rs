//! The house rules that a compiler does not hold: layout, crate graph, owners, purity, sizes.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom (ARCHITECTURE.md draws it). The node, tests and benches may import all.
const GRAPH: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("store", &["kernel"]),
    ("telemetry", &["kernel"]),
    ("config", &["kernel"]),
    ("wire", &["kernel"]),
    ("sdp", &["kernel"]),
    ("rtp", &["kernel"]),
    ("api", &["kernel"]),
    ("journal", &["kernel", "store", "wire"]),
    ("mesh", &["kernel", "telemetry", "wire"]),
    ("sip", &["kernel", "sdp"]),
    ("engine", &["kernel", "sdp", "rtp"]),
    (
        "actors",
        &["config", "engine", "journal", "kernel", "sdp", "sip", "store", "telemetry", "wire"],
    ),
    ("server", &["actors", "api", "config", "kernel", "telemetry"]),
];

/// Each of these has one crate that may name it.
const OWNERS: &[(&str, &str)] = &[
    ("sled", "store"),
    ("rsip", "sip"),
    ("bincode", "wire"),
    ("openraft", "journal"),
    ("quinn", "mesh"),
    ("webrtc", "engine"),
    ("minijinja", "config"),
];

const FOLDERS: &[&str] =
    &["runtime", "actors", "cluster", "media", "http", "config", "tests", "benches"];

const MAX_FILE_LINES: usize = 500;
const MAX_LINE_COLUMNS: usize = 100;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "data", "node_modules"].contains(&&*name) {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn files(wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        walk(&root().join(folder), &mut found);
    }
    found.retain(|path| wanted(path));
    found.sort();
    found
}

fn rust_files() -> Vec<PathBuf> {
    files(|path| path.extension().is_some_and(|ending| ending == "rs"))
}

/// Tests and tables stand apart and may be long.
fn is_test(path: &Path) -> bool {
    let shown = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    shown.starts_with("tests/")
        || shown.starts_with("benches/")
        || shown.contains("/tests/")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
        || name.starts_with("table")
}

/// Crate name without the prefix → (imports of ours, imports of others), tests not counted.
fn crates() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let mut crates = BTreeMap::new();
    for manifest in files(|path| path.ends_with("Cargo.toml")) {
        let text = fs::read_to_string(&manifest).unwrap();
        let mut section = "";
        let (mut name, mut ours, mut others) = (String::new(), BTreeSet::new(), BTreeSet::new());
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            } else if section == "[package]" && line.starts_with("name") {
                name = line.split('"').nth(1).unwrap().to_owned();
            } else if section == "[dependencies]" && !line.is_empty() && !line.starts_with('#') {
                let dependency = line.split(['.', ' ', '=']).next().unwrap();
                match dependency.strip_prefix("tandem-") {
                    Some(own) => ours.insert(own.to_owned()),
                    None => others.insert(dependency.to_owned()),
                };
            }
        }
        let name = name.strip_prefix("tandem-").unwrap_or(&name).to_owned();
        crates.insert(name, (ours, others));
    }
    crates
}

#[test]
fn crates_import_only_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = GRAPH.iter().copied().collect();
    for (name, (ours, _)) in crates() {
        let Some(allowed) = allowed.get(&*name) else {
            assert!(
                ["tandem", "tests", "benches", "fuzz"].contains(&&*name),
                "crate {name} is not in the graph"
            );
            continue;
        };
        for import in ours {
            assert!(allowed.contains(&&*import), "{name} must not import {import}");
        }
    }
}

#[test]
fn each_of_the_fragile_crates_has_one_owner() {
    for (name, (_, others)) in crates() {
        for (fragile, owner) in OWNERS {
            assert!(!others.contains(*fragile) || name == *owner, "{name} must not name {fragile}");
        }
    }
}

#[test]
fn the_top_level_holds_only_the_folders_of_the_card() {
    for entry in fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            assert!(
                FOLDERS.contains(&&*name) || ["target", "data"].contains(&&*name),
                "folder {name} is not on the card"
            );
        }
    }
}

#[test]
fn files_and_lines_are_short() {
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(lines <= MAX_FILE_LINES || is_test(&path), "{} has {lines} lines", path.display());
        for (number, line) in text.lines().enumerate() {
            assert!(
                line.chars().count() <= MAX_LINE_COLUMNS || is_test(&path),
                "{}:{} is too long",
                path.display(),
                number + 1
            );
        }
    }
}

/// Machines, and crates that do no I/O at all, read no clock and roll no dice.
#[test]
fn pure_code_is_pure() {
    const FORBIDDEN: &[&str] = &[
        "tokio::",
        "std::net::UdpSocket",
        "std::fs",
        "Instant::now",
        "SystemTime::now",
        "thread::spawn",
        "rand::rng",
        "thread_rng",
        "HashMap",
    ];
    let pure = |shown: &str| {
        shown.contains("/machine")
            || shown.starts_with("media/sdp/src")
            || shown.starts_with("media/rtp/src")
            || shown.starts_with("media/sip/src/session")
            || shown.starts_with("actors/src/numbering")
            || shown.starts_with("actors/src/figures")
    };
    for path in rust_files() {
        let shown = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if !pure(&shown) || is_test(&path) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for word in FORBIDDEN {
            let used = text.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//") && line.contains(word)
            });
            assert!(!used, "{shown} is pure and must not use {word}");
        }
    }
}

#[test]
fn nothing_unfinished_is_left_behind() {
    for path in rust_files().into_iter().filter(|path| !path.ends_with("tidy/main.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["todo!(", "unimplemented!(", "dbg!(", "FIXME"] {
            assert!(!text.contains(word), "{} holds {word}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in rust_files().into_iter().filter(|path| !is_test(path)) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
    }
}

/// A name in backquotes that begins like a test's; a star stands for the rest of it.
fn tests_named_in(table: &str) -> BTreeSet<&str> {
    let is_test = |name: &&str| {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        (plain || name.ends_with('*')) && name.matches('_').count() > 2
    };
    table.split('`').skip(1).step_by(2).filter(is_test).collect()
}

#[test]
fn the_table_of_requirements_names_tests_that_exist() {
    let table = fs::read_to_string(root().join("tests/queues/requirements.md")).unwrap();
    let sources: Vec<String> =
        rust_files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();

    let named = tests_named_in(&table);

    assert!(named.len() > 200, "{}", named.len());
    for name in named {
        let function = match name.strip_suffix('*') {
            Some(start) => format!("fn {start}"),
            None => format!("fn {name}("),
        };
        assert!(sources.iter().any(|text| text.contains(&function)), "there is no {name}");
    }
}
