//! Lists the prompts and music of `config/prompts`, so that one binary carries them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/prompts");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    list(&root, &mut files);
    files.sort();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut table = fs::File::create(out.join("library.rs")).expect("OUT_DIR is writable");
    writeln!(table, "pub(crate) const FILES: &[(&str, &[u8])] = &[").expect("OUT_DIR is writable");
    for file in files {
        let name = file.strip_prefix(&root).expect("listed below the root");
        let path = file.canonicalize().expect("a listed file exists");
        writeln!(table, "    ({:?}, include_bytes!({:?})),", name.display().to_string(), path)
            .expect("OUT_DIR is writable");
    }
    writeln!(table, "];").expect("OUT_DIR is writable");
}

fn list(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "wav") {
            found.push(path);
        }
    }
}
