//! Refusals as RFC 9457 problem details. Each code has a status and a title, once, in [`Code`].

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tandem_actors::office::Refusal;
use tandem_api::FieldProblem;

use crate::manual;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:ident, $title:literal;)*) => {
        /// What can go wrong at the edge.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All codes, for the document.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The status that it is answered with.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The problem in a few words.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is no JSON.
    MalformedJson = "malformed-json", BAD_REQUEST, "The body is not valid JSON";
    /// The body or a parameter is not what it should be.
    InvalidFields = "invalid-fields", BAD_REQUEST, "Some fields are not valid";
    /// A parameter of the path or the query.
    InvalidParameter = "invalid-parameter", BAD_REQUEST, "A parameter is not valid";
    /// No token, or none that is known.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "A valid token is needed";
    /// Wrong name or password.
    WrongPassword = "wrong-password", UNAUTHORIZED, "The name or the password is wrong";
    /// Known and not allowed.
    Forbidden = "forbidden", FORBIDDEN, "The role does not allow this";
    /// The page of another site.
    WrongOrigin = "wrong-origin", FORBIDDEN, "Requests of this origin are not allowed";
    /// No such route.
    NoRoute = "no-route", NOT_FOUND, "There is no such route";
    /// No such thing.
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    /// The route has other methods.
    WrongMethod = "wrong-method", METHOD_NOT_ALLOWED, "The route does not take this method";
    /// The state does not allow it; the actors' codes come with it.
    Conflict = "conflict", CONFLICT, "The state does not allow this";
    /// The same key runs already.
    StillRunning = "still-running", CONFLICT, "The first request with this key still runs";
    /// The node was killed while it ran.
    OutcomeUnknown = "outcome-unknown", CONFLICT, "It is not known whether this was done";
    /// A secret, or too long.
    AnswerNotKept = "answer-not-kept", CONFLICT, "This was done, its answer is not kept";
    /// If-Match does not match.
    Stale = "stale", PRECONDITION_FAILED, "The resource was changed in the meantime";
    /// Too long a body.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// Another content type.
    WrongMediaType = "wrong-media-type", UNSUPPORTED_MEDIA_TYPE, "The body has the wrong type";
    /// The key was used for something else.
    KeyReused = "key-reused", UNPROCESSABLE_ENTITY, "The key was used with another body";
    /// If-Match is needed.
    MatchRequired = "match-required", PRECONDITION_REQUIRED, "If-Match is required";
    /// Too many requests.
    TooMany = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server made a mistake";
    /// Not now.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The node can not do this now";
    /// Something that the node needs is missing.
    NotReady = "not-ready", SERVICE_UNAVAILABLE, "The node is not ready";
    /// It took too long.
    TimedOut = "timed-out", SERVICE_UNAVAILABLE, "The node did not answer in time";
}

/// A refusal on its way out. The request's id is added where it leaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// The actors' own code, where it says more.
    pub(crate) narrower: Option<&'static str>,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldProblem>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            narrower: None,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// A field that is wrong, by JSON pointer.
    pub(crate) fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::new(Code::InvalidFields, detail.clone());
        problem.errors = vec![FieldProblem { pointer: pointer.into(), code: code.into(), detail }];
        problem
    }

    pub(crate) fn parameter(name: &str, detail: &str) -> Self {
        Self::new(Code::InvalidParameter, format!("{name}: {detail}"))
    }

    pub(crate) fn not_found(kind: &str, key: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {kind} {key}"))
    }

    pub(crate) fn unauthenticated(detail: &str) -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"tandem\"");
        Self::new(Code::Unauthenticated, detail).with(header::WWW_AUTHENTICATE, challenge)
    }

    pub(crate) fn too_many(detail: &str, retry_after_secs: u64) -> Self {
        Self::new(Code::TooMany, detail)
            .with(header::RETRY_AFTER, HeaderValue::from(retry_after_secs.max(1)))
    }

    pub(crate) fn unavailable(code: Code, detail: impl Into<String>) -> Self {
        Self::new(code, detail).with(header::RETRY_AFTER, HeaderValue::from(2))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The outward form.
    pub(crate) fn outward(&self, request: &str) -> tandem_api::Problem {
        let code = self.narrower.unwrap_or(self.code.as_str());
        tandem_api::Problem {
            type_: manual::type_of(self),
            title: self.code.title().into(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            instance: request.into(),
            code: code.into(),
            errors: self.errors.clone(),
        }
    }

    pub(crate) fn response(&self, request: &str) -> Response {
        let body = serde_json::to_vec(&self.outward(request)).unwrap_or_default();
        let mut response = (self.code.status(), body).into_response();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.extend(self.headers.iter().cloned());
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::NotFound { .. } => Self::new(Code::NotFound, detail),
            Refusal::Conflict { code, .. } => {
                let mut problem = Self::new(Code::Conflict, detail);
                problem.narrower = Some(code);
                problem
            }
            Refusal::Stale { .. } => Self::new(Code::Stale, detail),
            Refusal::Invalid(fields) => {
                let mut problem = Self::new(Code::InvalidFields, detail);
                let outward = |field: tandem_config::resource::FieldError| FieldProblem {
                    pointer: field.pointer,
                    code: field.code.into(),
                    detail: field.detail,
                };
                problem.errors = fields.into_iter().map(outward).collect();
                problem
            }
            Refusal::Forbidden { .. } => Self::new(Code::Forbidden, detail),
            Refusal::Unavailable { .. } => Self::unavailable(Code::Unavailable, detail),
        }
    }
}
