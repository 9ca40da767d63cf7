#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;

#[test]
fn each_prompt_is_there_in_each_language_at_both_rates() {
    let texts = include_str!("../../../../config/prompts/texts.tsv");
    let names = texts.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = names.filter_map(|line| line.split('\t').next()).collect();
    let there: BTreeSet<&str> = FILES.iter().map(|(name, _)| *name).collect();
    assert!(names.len() > 40, "{}", names.len());
    for language in ["en", "zh-hant", "zh-hans"] {
        for name in &names {
            for ending in [".wav", WIDE] {
                let file = format!("{language}/{name}{ending}");
                assert!(there.contains(&*file), "{file}");
            }
        }
    }
}

#[test]
fn an_operator_s_own_recording_stays_and_is_heard_by_wideband_phones_too() {
    let dir = tempfile::tempdir().unwrap();
    let root = unpack(dir.path()).unwrap();
    let (own, wide) = (root.join("zh-hans/goodbye.wav"), root.join("zh-hans/goodbye.16k.wav"));
    assert!(wide.exists());

    fs::write(&own, b"their own").unwrap();
    fs::remove_file(&wide).unwrap();
    fs::remove_file(root.join("zh-hans/echo-test.16k.wav")).unwrap();
    unpack(dir.path()).unwrap();

    assert_eq!(fs::read(&own).unwrap(), b"their own");
    assert!(!wide.exists(), "a wideband phone would hear ours");
    assert!(root.join("zh-hans/echo-test.16k.wav").exists());
}
