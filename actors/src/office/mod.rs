//! The one door to the actors: commands in, views out. The HTTP edge knows nothing else of them.
//!
//! | Concern                                  | Owner               |
//! |------------------------------------------|---------------------|
//! | Rights of a principal                    | the HTTP edge       |
//! | Provisioned resources                    | `provisioning`      |
//! | Live calls, agents, queues               | their actors        |
//! | Call records, the event feed             | projections         |

mod view;

pub use view::*;
