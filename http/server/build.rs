//! Puts the built panel into the binary, if it was built: `http/panel/dist/app` becomes a table of
//! names, bytes and compressed bytes. Without it the table is empty and the node says how to
//! build the panel. The manual's pictures become a table of the same kind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    table("../panel/dist", "app", "panel.rs")?;
    table("../manual/pictures", "", "pictures.rs")
}

/// Writes a table of all files below a folder.
fn table(watched: &str, below: &str, name: &str) -> io::Result<()> {
    println!("cargo:rerun-if-changed={watched}");
    let root = PathBuf::from(watched).join(below);
    let mut files = Vec::new();
    if root.is_dir() {
        walk(&root, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).map_err(io::Error::other)?;
        let path = fs::canonicalize(&file)?;
        let packed = PathBuf::from(format!("{}.gz", path.display()));
        let packed = if packed.exists() {
            format!("Some(include_bytes!({packed:?}))")
        } else {
            "None".to_owned()
        };
        table.push_str(&format!(
            "    Asset {{ name: {name:?}, bytes: include_bytes!({path:?}), packed: {packed} }},\n"
        ));
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&out).join(name), table)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_none_or(|ending| ending != "gz") {
            files.push(path);
        }
    }
    Ok(())
}
