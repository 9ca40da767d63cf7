//! An operation of the API: what it is called, what it needs, what it does, how it looks.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tandem_config::Kind;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::edge::Edge;
use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::rights::{Permission, Scope};

/// What an operation does.
pub(crate) type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// Makes a [`Handler`] of an async function.
macro_rules! handler {
    ($function:path) => {{
        fn run(
            call: $crate::operation::Call,
        ) -> std::pin::Pin<
            Box<
                dyn Future<Output = Result<$crate::operation::Reply, $crate::problem::Problem>>
                    + Send,
            >,
        > {
            Box::pin($function(call))
        }
        run as $crate::operation::Handler
    }};
}
pub(crate) use handler;

/// Named schemas.
pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A JSON body: its schema and an example of it.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) collect: fn(&mut Schemas),
    /// Whether a value has this shape; the examples are held to it.
    #[cfg(test)]
    pub(crate) check: fn(&Value) -> Result<(), String>,
    pub(crate) example: Value,
    /// A page of these instead of one.
    pub(crate) is_page: bool,
    /// A request body that may be left out.
    pub(crate) is_optional: bool,
}

impl Shape {
    pub(crate) fn of<T: ToSchema + DeserializeOwned>(example: Value) -> Self {
        Self {
            name: T::name().into_owned(),
            collect: collect::<T>,
            #[cfg(test)]
            check: |value| match serde_json::from_value::<T>(value.clone()) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            example,
            is_page: false,
            is_optional: false,
        }
    }

    pub(crate) fn page<T: ToSchema + DeserializeOwned>(example: Value) -> Self {
        Self { is_page: true, ..Self::of::<T>(example) }
    }

    pub(crate) fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }
}

fn collect<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// A parameter of the query.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
}

/// What an operation answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(StatusCode, Shape),
    Nothing,
    Text,
    Audio,
    File,
    EventStream,
    WebSocket,
    /// A WebSocket, or server-sent events for who accepts those.
    Events,
}

/// An operation.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// With parameters in braces, as axum and OpenAPI both write them.
    pub(crate) path: String,
    /// None: public.
    pub(crate) permission: Option<Permission>,
    pub(crate) summary: String,
    pub(crate) tag: &'static str,
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Option<Shape>,
    pub(crate) answer: Answer,
    pub(crate) kind: Option<Kind>,
    /// Whether If-Match is required.
    pub(crate) is_conditional: bool,
    /// Whether the body is a WAV file.
    pub(crate) is_audio: bool,
    /// Whether the node's own host needs no token.
    pub(crate) is_open_here: bool,
    /// Whether the answer holds a secret, which is not written to the disk.
    pub(crate) is_secret: bool,
    /// Whether the body may be many times as long as usual.
    pub(crate) is_bulk: bool,
    pub(crate) handler: Handler,
}

impl Operation {
    pub(crate) fn new(
        id: impl Into<String>,
        method: Method,
        path: impl Into<String>,
        summary: impl Into<String>,
        handler: Handler,
    ) -> Self {
        Self {
            id: id.into(),
            method,
            path: path.into(),
            permission: None,
            summary: summary.into(),
            tag: "node",
            query: &[],
            body: None,
            answer: Answer::Nothing,
            kind: None,
            is_conditional: false,
            is_audio: false,
            is_open_here: false,
            is_secret: false,
            is_bulk: false,
            handler,
        }
    }

    pub(crate) fn needs(self, permission: Permission) -> Self {
        Self { permission: Some(permission), ..self }
    }

    pub(crate) fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    pub(crate) fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    pub(crate) fn body(self, shape: Shape) -> Self {
        Self { body: Some(shape), ..self }
    }

    pub(crate) fn ok(self, shape: Shape) -> Self {
        Self { answer: Answer::Json(StatusCode::OK, shape), ..self }
    }

    pub(crate) fn created(self, shape: Shape) -> Self {
        Self { answer: Answer::Json(StatusCode::CREATED, shape), ..self }
    }

    pub(crate) fn answers(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    pub(crate) fn kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    pub(crate) fn open_here(self) -> Self {
        Self { is_open_here: true, ..self }
    }

    pub(crate) fn takes_audio(self) -> Self {
        Self { is_audio: true, ..self }
    }

    pub(crate) fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(crate) fn bulk(self) -> Self {
        Self { is_bulk: true, ..self }
    }

    pub(crate) fn conditional(self) -> Self {
        Self { is_conditional: true, ..self }
    }
}

/// A request on its way to what its operation does.
pub(crate) struct Call {
    pub(crate) edge: Edge,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: Option<Caller>,
    pub(crate) scope: Scope,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Value>,
    /// The body of an operation that takes audio.
    pub(crate) audio: Bytes,
    pub(crate) peer: Option<IpAddr>,
    /// The request's head, for an upgrade.
    pub(crate) head: Option<Parts>,
}

impl Call {
    /// A parameter of the path; the router has seen to it that it is there.
    pub(crate) fn path(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Who asks. Operations that are not public always have a caller.
    pub(crate) fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(|| Problem::unauthenticated("a token is needed"))
    }

    /// The extension that the caller is bound to; none: not bound.
    pub(crate) fn bound_to(&self) -> Result<Option<&str>, Problem> {
        if self.scope == Scope::All {
            return Ok(None);
        }
        let extension = self.caller()?.principal.extension.as_deref();
        let missing = || Problem::new(Code::Forbidden, "the principal has no extension");
        extension.map(Some).ok_or_else(missing)
    }

    /// The body as a type.
    pub(crate) fn read<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        read(self.body.take().unwrap_or_default())
    }
}

/// A value as a type; what is wrong is named by its pointer.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let text = error.inner().to_string();
        let code = match text.split_whitespace().next() {
            Some("unknown") => "unknown-field",
            Some("missing") => "missing-field",
            _ => "wrong-value",
        };
        Problem::field(&pointer(error.path()), code, text)
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let text = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&text);
    }
    pointer
}

/// A reply with a JSON body, or none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Value>,
}

/// A reply.
pub(crate) enum Reply {
    Json(Json),
    Raw(Response),
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self::Json(Json { status: StatusCode::OK, headers: Vec::new(), body: Some(body) })
    }

    pub(crate) fn created(body: Value) -> Self {
        Self::Json(Json { status: StatusCode::CREATED, headers: Vec::new(), body: Some(body) })
    }

    pub(crate) fn not_modified() -> Self {
        Self::Json(Json { status: StatusCode::NOT_MODIFIED, headers: Vec::new(), body: None })
    }

    pub(crate) fn nothing() -> Self {
        Self::Json(Json { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: None })
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let (Self::Json(json), Ok(value)) = (&mut self, HeaderValue::from_str(value)) {
            json.headers.push((name, value));
        }
        self
    }
}
