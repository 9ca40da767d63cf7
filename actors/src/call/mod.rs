//! One call: its legs, who hears whom, what happens next.
//!
//! | Concern                                        | Owner                          |
//! |------------------------------------------------|--------------------------------|
//! | What happens next                              | `machine` (pure)               |
//! | Dialogs, offer and answer, media of each leg   | the shell's legs               |
//! | Which agent gets a waiting caller              | the queue                      |
//! | What a number means                            | `numbering`                    |
//!
//! A crash of one call ends that call's legs and touches no other.

pub mod event;
pub mod machine;
