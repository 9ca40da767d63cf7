//! The harness of the tests with real peers.
