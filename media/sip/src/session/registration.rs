//! Accounts at a provider.
