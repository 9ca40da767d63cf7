//! tandem-benches
