//! Is everything there and whole?

use std::fmt;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::Table;
use crate::backend::Backend;
use crate::database::{place, sealed_value, words_of};

// A damaged store is replaced, not repaired: the first few findings say enough.
const MOST_PROBLEMS: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// The file, table and key.
    pub place: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.what, self.place)
    }
}

/// What a full scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries that were read and are whole.
    pub entries: u64,
    /// What is wrong, in the order of the keys; the first hundred.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn of(
        dir: &Path,
        db: &Backend,
        tables: &[Table],
        check: impl FnMut(Table, &[u8], &[u8]) -> Result<(), String>,
    ) -> Self {
        let mut report = Self::default();
        // The database asserts some of its invariants while it reads.
        let scan = AssertUnwindSafe(|| report.scan(dir, db, tables, check));
        if let Err(panic) = catch_unwind(scan) {
            let what = format!("the database can not be read: {}", words_of(&*panic));
            report.problems.push(Problem { what, place: dir.join("db").display().to_string() });
        }
        report
    }

    fn scan(
        &mut self,
        dir: &Path,
        db: &Backend,
        tables: &[Table],
        mut check: impl FnMut(Table, &[u8], &[u8]) -> Result<(), String>,
    ) {
        let mut last = ("none", Vec::new());
        for entry in db.range(Bound::Unbounded, Bound::Unbounded) {
            if self.problems.len() >= MOST_PROBLEMS {
                return;
            }
            let (key, raw) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    // The iterator repeats this error for ever and shows nothing behind it.
                    let what = format!("unreadable after this key: {error}");
                    self.problems.push(Problem { what, place: place(dir, last.0, &last.1) });
                    return;
                }
            };
            let Some(table) = tables.iter().find(|table| key.first() == Some(&table.id)) else {
                let what = "a key of no known table".into();
                self.problems.push(Problem { what, place: place(dir, "unknown", &key) });
                continue;
            };
            let checked = match sealed_value(&key, &raw) {
                None => Err("wrong checksum".to_owned()),
                Some(value) => check(*table, &key[1..], value),
            };
            match checked {
                Ok(()) => self.entries += 1,
                Err(what) => {
                    let place = place(dir, table.name, &key[1..]);
                    self.problems.push(Problem { what, place });
                }
            }
            last = (table.name, key[1..].to_vec());
        }
    }
}
