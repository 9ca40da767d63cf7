//! Media types (RFC 3261 20.15), as rsip models them.

use std::fmt;

use rsip::headers::typed::MediaType as Model;
use rsip::headers::typed::media_type::MediaTypeParam;
use rsip::headers::untyped::ContentType;
use rsip::headers::{ToTypedHeader, UntypedHeader};

use super::{ValueError, textual};
use crate::message::lexis::is_token;

/// A media type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType(Model);

textual!(MediaType);

impl MediaType {
    /// Reads `type/subtype;name=value`.
    ///
    /// # Errors
    /// It has not that form.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        const BAD: ValueError = ValueError::new("media type");
        let model = ContentType::new(text.trim()).into_typed().map_err(|_| BAD)?.0;
        let trimmed = |params: Vec<MediaTypeParam>| {
            let trim = |p: MediaTypeParam| MediaTypeParam::from((p.0.trim(), p.1.trim()));
            params.into_iter().map(trim).collect()
        };
        let media_type = Self(match model {
            Model::Sdp(params) => Model::Sdp(trimmed(params)),
            Model::Other(name, params) => Model::Other(name.trim().to_owned(), trimmed(params)),
        });
        // rsip takes any text for a name, and does not know escapes within quotes.
        let (Model::Sdp(params) | Model::Other(_, params)) = &media_type.0;
        let is_plain = |text: &str| !text.contains(['"', '\\']);
        let params_are_sound = params.iter().all(|p| is_token(p.0.as_bytes()) && is_plain(&p.1));
        let names_are_sound = media_type
            .essence()
            .split_once('/')
            .is_some_and(|(kind, sub)| [kind, sub].iter().all(|part| is_token(part.as_bytes())));
        if params_are_sound && names_are_sound { Ok(media_type) } else { Err(BAD) }
    }

    /// Type and subtype as they stand.
    #[must_use]
    pub fn essence(&self) -> &str {
        match &self.0 {
            Model::Sdp(_) => "application/sdp",
            Model::Other(name, _) => name,
        }
    }

    /// Whether this is the type, in any case.
    #[must_use]
    pub fn is(&self, essence: &str) -> bool {
        self.essence().eq_ignore_ascii_case(essence)
    }

    /// A parameter without its quotes, such as `boundary`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let (Model::Sdp(params) | Model::Other(_, params)) = &self.0;
        let found = params.iter().find(|param| param.0.eq_ignore_ascii_case(name));
        found.map(|param| param.1.as_str())
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.essence())?;
        let (Model::Sdp(params) | Model::Other(_, params)) = &self.0;
        for param in params {
            write!(f, ";{}={}", param.0, super::params::quote_if_needed(&param.1))?;
        }
        Ok(())
    }
}
