//! The proof that somebody knows the password (RFC 7616 3.4.1).

use super::algorithm::{Algorithm, Form};

/// What goes into a proof.
pub(super) struct Proof<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) form: Form,
    /// The kept secret of the algorithm.
    pub(super) ha1: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
    pub(super) protection: Protection<'a>,
}

/// The quality of protection.
#[derive(Clone, Copy)]
pub(super) enum Protection<'a> {
    /// RFC 2069, for answering very old servers.
    None,
    /// `auth`.
    Request { nc: u32, cnonce: &'a str },
    /// `auth-int`.
    Body { nc: u32, cnonce: &'a str, body: &'a [u8] },
}

impl Proof<'_> {
    /// In lower-case hexadecimal.
    pub(super) fn compute(&self) -> String {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let (method, uri, nonce) =
            (self.method.as_bytes(), self.uri.as_bytes(), self.nonce.as_bytes());
        let (nc, cnonce, qop) = match self.protection {
            Protection::None => (None, "", ""),
            Protection::Request { nc, cnonce } => (Some(nc), cnonce, "auth"),
            Protection::Body { nc, cnonce, .. } => (Some(nc), cnonce, "auth-int"),
        };
        let ha1 = match self.form {
            Form::Plain => self.ha1.to_owned(),
            Form::Session => hash(&[self.ha1.as_bytes(), nonce, cnonce.as_bytes()]),
        };
        let ha2 = match self.protection {
            Protection::Body { body, .. } => hash(&[method, uri, hash(&[body]).as_bytes()]),
            Protection::None | Protection::Request { .. } => hash(&[method, uri]),
        };
        let (ha1, ha2) = (ha1.as_bytes(), ha2.as_bytes());
        match nc {
            None => hash(&[ha1, nonce, ha2]),
            Some(nc) => {
                let nc = format!("{nc:08x}");
                hash(&[ha1, nonce, nc.as_bytes(), cnonce.as_bytes(), qop.as_bytes(), ha2])
            }
        }
    }
}
