//! The error numbers of the parent API, in our own words (D-056).

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errno {
    /// The body is no well-formed XML.
    NotXml,
    /// No such action or `type`.
    NotSupported,
    /// A required field is empty.
    FieldEmpty,
    /// No such extension, or not for this account.
    NoExtension,
    /// No such call.
    NoCall,
    /// The extension is busy, or its phone is not there.
    NotIdle,
    /// The number to be called does not exist.
    NoCallee,
    /// No such queue.
    NoQueue,
    /// The extension may not call out.
    NotPermitted,
    /// No number to call.
    NumberEmpty,
    /// The number is malformed, internal, or no route takes it.
    NumberNotTaken,
    /// The body is no well-formed JSON.
    NotJson,
    /// Another method than POST.
    OnlyPost,
    /// Locked out after wrong passwords.
    LockedOut,
    /// Wrong name or password; the vendor's own number.
    LogInFailed,
    /// No such token, or it has run out.
    NoSuchToken,
    /// No token.
    TokenEmpty,
    /// The node can not do it now: HTTP 503 (D-055).
    Unavailable,
}

impl Errno {
    /// As it is written.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotXml => "10002",
            Self::NotSupported => "10003",
            Self::FieldEmpty => "10004",
            Self::NoExtension => "10006",
            Self::NoCall => "10007",
            Self::NotIdle => "10008",
            Self::NoCallee => "10011",
            Self::NoQueue => "10013",
            Self::NotPermitted => "10024",
            Self::NumberEmpty => "10028",
            Self::NumberNotTaken => "10031",
            Self::NotJson => "20000",
            Self::OnlyPost => "20001",
            Self::LockedOut => "20002",
            Self::NoSuchToken => "20004",
            Self::TokenEmpty => "20005",
            Self::LogInFailed => "30003",
            Self::Unavailable => "503",
        }
    }
}
