//! tandem-telemetry
