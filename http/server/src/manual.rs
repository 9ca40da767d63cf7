//! The manual, offline: pages that the binary holds, and a page for each problem.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use pulldown_cmark::{Options, Parser, html};
use tandem_api::pages::{self, Page};

use crate::panel;
use crate::problem::{Code, Problem};
use crate::wire;

/// The pages by name: their Markdown.
pub(crate) const PAGES: &[(&str, &str)] = &[
    ("index", include_str!("../../manual/index.md")),
    ("first-call", include_str!("../../manual/first-call.md")),
    ("phones", include_str!("../../manual/phones.md")),
    ("trunks", include_str!("../../manual/trunks.md")),
    ("queues", include_str!("../../manual/queues.md")),
    ("panel", include_str!("../../manual/panel.md")),
    ("panel-admin", include_str!("../../manual/panel-admin.md")),
    ("cluster", include_str!("../../manual/cluster.md")),
    ("backup", include_str!("../../manual/backup.md")),
    ("wire", include_str!("../../manual/wire.md")),
];

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;\
    padding:0 1rem;color-scheme:light dark}code{font-size:.9em}table{border-collapse:collapse}\
    th,td{border:1px solid #8888;padding:.3rem .6rem;text-align:left}\
    img{max-width:100%;border:1px solid #8888;border-radius:6px}";

static WIRE: LazyLock<(String, String)> =
    LazyLock::new(|| (format!("{:#}\n", wire::asyncapi()), wire::typescript()));

/// The routes of the manual and of the documents of the event stream.
pub(crate) fn routes() -> Router {
    let text = |kind: &'static str, body: &'static str| ([(header::CONTENT_TYPE, kind)], body);
    Router::new()
        .route("/manual", get(|| async { page("index") }))
        .route("/manual/", get(|| async { Redirect::permanent("/manual") }))
        .route("/manual/{page}", get(|Path(name): Path<String>| async move { page(&name) }))
        .route(
            "/manual/pictures/{name}",
            get(|Path(name): Path<String>, headers: HeaderMap| async move {
                panel::picture(&name, &headers)
            }),
        )
        .route("/manual/problems", get(|| async { list() }))
        .route(
            "/manual/problems/{code}",
            get(|Path(code): Path<String>| async move { problem(&code) }),
        )
        .route("/api/asyncapi.json", get(move || async move { text("application/json", &WIRE.0) }))
        .route(
            "/api/wire.ts",
            get(move || async move { text("text/plain; charset=utf-8", &WIRE.1) }),
        )
}

fn page(name: &str) -> Response {
    match PAGES.iter().find(|(known, _)| *known == name) {
        Some((_, markdown)) => shown(markdown),
        None => missing(),
    }
}

fn missing() -> Response {
    let mut response = shown("# There is no such page\n\nSee [the manual](/manual).");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn shown(markdown: &str) -> Response {
    let title = markdown.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Tandem</title>\
         <style>{STYLE}</style><main>{body}</main>\
         <p><a href=\"/manual\">The manual</a></p></html>"
    );
    Html(page).into_response()
}

fn title(page: &Page) -> &'static str {
    let known = Code::ALL.iter().find(|code| code.as_str() == page.code);
    known.map_or("The state does not allow this", |code| code.title())
}

fn problem(code: &str) -> Response {
    let Some(page) = pages::of(code) else { return missing() };
    let Page { code, means, act } = page;
    let title = title(page);
    shown(&format!(
        "# {title}\n\nCode `{code}`\n\n{means}\n\n## What to do\n\n{act}\n\n\
         [All problems](/manual/problems)"
    ))
}

fn list() -> Response {
    let mut text = "# Problems\n\nEvery error is a problem document (RFC 9457): its `code` never \
        changes, its `detail` says what happened this time.\n\n| code | meaning |\n|---|---|\n"
        .to_owned();
    for Page { code, means, .. } in pages::PAGES {
        // Writing to a string does not fail.
        let _written = writeln!(text, "| [{code}](/manual/problems/{code}) | {means} |");
    }
    shown(&text)
}

/// The page that a problem's `type` names; one that has none of its own leads to its class.
pub(crate) fn type_of(problem: &Problem) -> String {
    let narrower = problem.narrower.filter(|code| pages::of(code).is_some());
    format!("/manual/problems/{}", narrower.unwrap_or(problem.code.as_str()))
}
