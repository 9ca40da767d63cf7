//! Whether the node lives, is ready, and what it measures.

use axum::http::{HeaderValue, Method, header};
use axum::response::IntoResponse;
use serde_json::json;
use tandem_api::FieldProblem;
use tandem_api::problem::{Alive, Ready};

use crate::convert;
use crate::operation::{Answer, Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

async fn alive(_call: Call) -> Result<Reply, Problem> {
    Ok(Reply::ok(convert::value(&Alive { alive: true })?))
}

async fn ready(call: Call) -> Result<Reply, Problem> {
    let checks = call.edge.office.readiness().await;
    let mut errors: Vec<FieldProblem> = Vec::new();
    for check in &checks {
        if let Some(problem) = &check.problem {
            let pointer = format!("/{}", check.name);
            let detail = problem.clone();
            errors.push(FieldProblem { pointer, code: "not-ready".into(), detail });
        }
    }
    if *call.edge.draining().borrow() {
        let detail = "the node is draining".to_owned();
        errors.push(FieldProblem { pointer: "/http".into(), code: "draining".into(), detail });
    }
    if errors.is_empty() {
        let checks = checks.iter().map(|check| check.name.to_owned()).collect();
        return Ok(Reply::ok(convert::value(&Ready { checks })?));
    }
    let names: Vec<&str> = errors.iter().map(|error| error.pointer.trim_matches('/')).collect();
    let detail = format!("not ready: {}", names.join(", "));
    let mut problem = Problem::unavailable(Code::NotReady, detail);
    problem.errors = errors;
    Err(problem)
}

async fn metrics(call: Call) -> Result<Reply, Problem> {
    let Some(recorder) = &call.edge.recorder else {
        return Err(Problem::unavailable(Code::Unavailable, "the node keeps no metrics"));
    };
    call.edge.office.observe();
    let mut response = recorder.render().into_response();
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    Ok(Reply::Raw(response))
}

/// The operations on the node itself.
pub(crate) fn operations() -> Vec<Operation> {
    let checks = json!({ "checks": ["journal", "sip"] });
    let reading = "Show the metrics in Prometheus text; from the node itself without a token";
    vec![
        Operation::new(
            "getLiveness",
            Method::GET,
            "/livez",
            "Say that the node lives",
            handler!(alive),
        )
        .ok(Shape::of::<Alive>(json!({ "alive": true }))),
        Operation::new(
            "getReadiness",
            Method::GET,
            "/readyz",
            "Say whether the node can work, and what is missing",
            handler!(ready),
        )
        .ok(Shape::of::<Ready>(checks)),
        Operation::new("getMetrics", Method::GET, "/metrics", reading, handler!(metrics))
            .needs(Permission::MetricsRead)
            .open_here()
            .answers(Answer::Text),
    ]
}
