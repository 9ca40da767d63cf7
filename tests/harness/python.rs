//! What runs the scripts of telephones and servers.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tokio::process::Command;

/// What `python3` is. Where a script stands for it that looks for the version to run, each start
/// of a telephone would wait for that one, too.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let asked = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("python3 runs");
    PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim_end())
});

/// Python with a script of `tests/peers`.
///
/// # Panics
/// When there is no Python.
#[must_use]
pub fn script(name: &str) -> Command {
    script_within(None, name)
}

/// The same in a network namespace, if there is one.
///
/// # Panics
/// When there is no Python.
#[must_use]
pub fn script_within(netns: Option<&str>, name: &str) -> Command {
    let mut process = match netns {
        None => Command::new(&*PROGRAM),
        Some(netns) => {
            let mut process = Command::new("ip");
            process.args(["netns", "exec", netns]).arg(&*PROGRAM);
            process
        }
    };
    process.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name));
    process
}
