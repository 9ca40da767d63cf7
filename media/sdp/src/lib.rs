//! Session descriptions: what two sides of a call say about their audio, and what they agree.
//!
//! Pure text in, pure values out: no sockets, clocks or chance. A leg's signalling reads and
//! writes bodies here; the engine only ever sees an [`Agreement`].
//!
//! | Concern                                        | Owner           |
//! |------------------------------------------------|-----------------|
//! | Codec names, clocks and payload types          | [`codec`]       |
//! | What was agreed, directions, keys              | [`agreement`]   |
//! | The text form (RFC 8866), with limits          | [`description`] |
//! | SDES keys in the text (RFC 4568)               | `crypto`        |
//! | What one audio section says                    | `audio`         |
//! | Audio sections as we write them                | `section`       |
//! | Offers and answers (RFC 3264)                  | [`negotiation`] |

pub mod agreement;
mod audio;
pub mod codec;
mod crypto;
pub mod description;
pub mod negotiation;
mod section;

pub use agreement::{Agreement, CryptoPair, Direction, Suite};
pub use codec::Codec;
pub use description::{Description, SdpError, parse};
pub use negotiation::{
    Capabilities, CryptoPolicy, Local, Preference, Unacceptable, accept, answer, answer_again,
    offer, offer_again, renew,
};

#[cfg(test)]
mod tests;
