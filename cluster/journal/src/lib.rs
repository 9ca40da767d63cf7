//! tandem-journal
