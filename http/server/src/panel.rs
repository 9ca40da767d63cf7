//! The panel's files, out of the binary. A node that was built without them says how to get them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

/// Where the panel lives.
pub(crate) const ROOT: &str = "/panel/";

/// What the panel may load: its own files and the node's API, nothing of others. React Aria
/// writes small style elements.
pub(crate) const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Instead of a panel.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <title>Tandem</title><h1>The panel is not in this binary</h1>\
     <p>It was built without Node.js. To put the panel in:</p>\
     <pre>cd http/panel &amp;&amp; npm ci &amp;&amp; npm run build\ncargo build --release</pre>\
     <p><code>make run</code> does both where npm is there. The API works without the panel: \
     <a href=\"/api/docs/\">its documents</a>.</p></html>";

/// A file of the panel.
struct Asset {
    name: &'static str,
    bytes: &'static [u8],
    /// Compressed with gzip.
    packed: Option<&'static [u8]>,
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/panel.rs"));

/// The pictures of the manual.
static PICTURES: &[Asset] = include!(concat!(env!("OUT_DIR"), "/pictures.rs"));

/// A picture of the manual.
pub(crate) fn picture(name: &str, headers: &HeaderMap) -> Response {
    match PICTURES.iter().find(|asset| asset.name == name) {
        Some(asset) => asset.response(headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The panel's door.
pub(crate) async fn door() -> Redirect {
    Redirect::permanent(ROOT)
}

/// A file of the panel.
pub(crate) async fn file(
    axum::extract::OriginalUri(uri): axum::extract::OriginalUri,
    headers: HeaderMap,
) -> Response {
    let name = uri.path().strip_prefix(ROOT).unwrap_or_default();
    let name = if name.is_empty() { "index.html" } else { name };
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => asset.response(&headers),
        None if name == "index.html" => page(NOT_BUILT.as_bytes()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn page(bytes: &'static [u8]) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    ([kind, (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))], bytes).into_response()
}

impl Asset {
    fn response(&self, headers: &HeaderMap) -> Response {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
        let is_gzip = |offer: &str| offer.trim().split(';').next() == Some("gzip");
        let takes_gzip = accepted.is_some_and(|accepted| accepted.split(',').any(is_gzip));
        let packed = self.packed.filter(|_| takes_gzip);
        let mut response = packed.unwrap_or(self.bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.keep()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn kind(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("webp") => "image/webp",
            _ => "application/octet-stream",
        }
    }

    /// Names in `assets/` hold a hash of what is in them.
    fn keep(&self) -> &'static str {
        if self.name.starts_with("assets/") {
            return "public, max-age=31536000, immutable";
        }
        "no-cache"
    }
}
