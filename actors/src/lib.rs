//! tandem-actors
