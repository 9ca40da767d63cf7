//! Is everything there and whole?

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::database::{place, problem_of, words_of};
use crate::{Options, Store, StoreError, Table};

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

    pub(crate) fn of(dir: &Path, db: &sled::Db, tables: &[Table]) -> Self {
        let mut report = Self::default();
        // The database asserts some of its invariants while it reads.
        let scanned = catch_unwind(AssertUnwindSafe(|| report.scan(dir, db, tables)));
        if let Err(panic) = scanned {
            let what = format!("the database can not be read: {}", words_of(&*panic));
            report.problems.push(Problem { what, place: dir.join("db").display().to_string() });
        }
        report
    }

    fn scan(&mut self, dir: &Path, db: &sled::Db, tables: &[Table]) {
        let mut last = ("none", Vec::new());
        for entry in db.iter() {
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
            match problem_of(dir, *table, &key, &raw) {
                None => self.entries += 1,
                Some(problem) => self.problems.push(problem),
            }
            last = (table.name, key[1..].to_vec());
        }
    }
}

/// Opens the store in `dir`, verifies and closes it. Damage that keeps it from opening is part
/// of the report.
///
/// # Errors
///
/// When the store is in use or the disk fails.
pub fn verify_dir(dir: &Path, tables: &[Table]) -> Result<Report, StoreError> {
    match Store::open(dir, &Options::default()) {
        Ok(store) => {
            let report = store.verify(tables);
            store.close()?;
            report
        }
        Err(StoreError::Damaged { what, place }) => {
            Ok(Report { entries: 0, problems: vec![Problem { what, place }] })
        }
        Err(other) => Err(other),
    }
}
