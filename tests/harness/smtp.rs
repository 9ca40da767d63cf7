//! An SMTP server (aiosmtpd, `tests/peers/smtp.py`) that keeps the letters it takes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::python;

/// A running server. It is killed with the value.
#[derive(Debug)]
pub struct Smtp {
    _process: Child,
    /// Its port on loopback.
    pub port: u16,
    folder: PathBuf,
}

impl Smtp {
    /// Starts a server that refuses some letters first and then keeps all in a folder.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(folder: &Path, refused: u32) -> Self {
        let folder = folder.join("letters");
        std::fs::create_dir_all(&folder).unwrap();
        let mut process = python::script("smtp.py")
            .arg(&folder)
            .arg(refused.to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("the server says its port");
        Self { _process: process, port: port.parse().unwrap(), folder }
    }

    /// Waits for the n-th letter, from 1, at most 20 s.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn letter(&self, number: u32) -> String {
        let path = self.folder.join(format!("letter-{number}.eml"));
        for _ in 0..200 {
            if let Ok(letter) = std::fs::read_to_string(&path) {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("letter {number} does not come");
    }

    /// How many letters it has taken.
    #[must_use]
    pub fn count(&self) -> usize {
        let letters = std::fs::read_dir(&self.folder).unwrap();
        letters.filter(|it| it.as_ref().unwrap().path().extension().unwrap() == "eml").count()
    }
}
