//! Why a node is not let in, in words that both sides print.

use quinn::{ConnectionError, VarInt};
use rustls::CertificateError;
use serde::{Deserialize, Serialize};

/// A refusal. It crosses nodes: variants are only added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// Another cluster's certificate, or a forged one.
    #[error("the certificate is not signed by this cluster's authority")]
    WrongAuthority,
    /// Past its end.
    #[error("the certificate has expired")]
    Expired,
    /// Before its beginning: a clock is wrong.
    #[error("the certificate is not valid yet, look at both clocks")]
    NotYetValid,
    /// Not the node that was asked for, or no node's certificate at all.
    #[error("the certificate belongs to another node")]
    WrongName,
    /// The name's owner has another key.
    #[error("the name is held by another key: the certificate was made for a stolen name")]
    StolenName,
    /// No certificate where one is demanded.
    #[error("no certificate was shown")]
    NoCertificate,
    /// Removed by an operator. Its id never comes back.
    #[error("the node was removed from the cluster")]
    Removed,
    /// A certificate of this cluster whose node is not in the roster.
    #[error("the node is not a member of the cluster")]
    NotAMember,
    /// A join with a name that a member has.
    #[error("the name is taken: choose another node.name, or remove that member first")]
    NameTaken,
    /// A token that was never issued here, or whose secret is wrong.
    #[error("the token is not known")]
    TokenUnknown,
    /// A token that let a node in before.
    #[error("the token was used before")]
    TokenUsed,
    /// A token that is too old.
    #[error("the token has expired")]
    TokenExpired,
    /// A token for another name.
    #[error("the token was issued for another name")]
    TokenScope,
    /// Only the node that holds the authority's key can do this.
    #[error("this node does not hold the authority's key")]
    NotTheAuthority,
    /// What came can not be read.
    #[error("the request can not be read")]
    Malformed,
    /// A change of the roster that makes no sense, such as removing the authority.
    #[error("the member can not be changed so")]
    NotPossible,
    /// No level of the language is spoken by both.
    #[error("the two builds have no language in common: upgrade the older one")]
    NoCommonLevel,
}

impl Refusal {
    /// All of them with the label that metrics and logs carry. The place is the code on the wire.
    const ALL: &[(Self, &str)] = &[
        (Self::WrongAuthority, "wrong_authority"),
        (Self::Expired, "expired"),
        (Self::NotYetValid, "not_yet_valid"),
        (Self::WrongName, "wrong_name"),
        (Self::StolenName, "stolen_name"),
        (Self::NoCertificate, "no_certificate"),
        (Self::Removed, "removed"),
        (Self::NotAMember, "not_a_member"),
        (Self::NameTaken, "name_taken"),
        (Self::TokenUnknown, "token_unknown"),
        (Self::TokenUsed, "token_used"),
        (Self::TokenExpired, "token_expired"),
        (Self::TokenScope, "token_scope"),
        (Self::NotTheAuthority, "not_the_authority"),
        (Self::Malformed, "malformed"),
        (Self::NotPossible, "not_possible"),
        (Self::NoCommonLevel, "no_common_level"),
    ];

    /// The label for metrics and logs.
    #[must_use]
    pub fn label(&self) -> &'static str {
        Self::ALL.iter().find(|(refusal, _)| refusal == self).map_or("other", |(_, label)| label)
    }

    /// The code with which a connection is closed; 0 is an orderly end.
    pub(crate) fn code(&self) -> VarInt {
        let place = Self::ALL.iter().position(|(refusal, _)| refusal == self).unwrap_or(0);
        VarInt::from_u32(u32::try_from(place + 1).unwrap_or(u32::MAX))
    }

    /// Why the peer, or our own check of the peer, ended a connection; `None`: for no reason of
    /// identity.
    pub(crate) fn of(error: &ConnectionError) -> Option<Self> {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let place = usize::try_from(close.error_code.into_inner()).ok()?.checked_sub(1)?;
                Self::ALL.get(place).map(|(refusal, _)| refusal.clone())
            }
            ConnectionError::ConnectionClosed(close) => Self::of_alert(close.error_code.into()),
            ConnectionError::TransportError(error) => Self::of_alert(error.code.into()),
            _ => None,
        }
    }

    /// TLS alerts (RFC 8446 section 6) as QUIC carries them (RFC 9001 section 4.8).
    fn of_alert(code: u64) -> Option<Self> {
        match code.checked_sub(0x100)? {
            45 => Some(Self::Expired),
            48 | 51 => Some(Self::WrongAuthority),
            42 | 43 | 46 => Some(Self::WrongName),
            116 => Some(Self::NoCertificate),
            120 => Some(Self::NoCommonLevel),
            _ => None,
        }
    }
}

impl From<&CertificateError> for Refusal {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            _ => Self::WrongAuthority,
        }
    }
}
