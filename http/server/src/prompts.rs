//! The prompts that an operator uploads: WAV files, 16-bit mono at 8, 16 or 48 kHz.

use axum::body::Body;
use axum::http::{Method, header};
use axum::response::Response;
use serde_json::{Value, json};
use tandem_api::prompt::{Prompt, Prompts};

use crate::convert;
use crate::operation::{Answer, Call, Operation, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

async fn list(call: Call) -> Result<Reply, Problem> {
    let prompts = call.edge.office.prompts().await?;
    let items = prompts.into_iter().map(convert::prompt).collect();
    Ok(Reply::ok(convert::value(&Prompts { items })?))
}

async fn put(mut call: Call) -> Result<Reply, Problem> {
    let audio = std::mem::take(&mut call.audio);
    let by = call.caller()?.principal.clone();
    let written = call.edge.office.put_prompt(&by, call.path("name"), audio.into()).await?;
    Ok(Reply::ok(convert::value(&convert::prompt(written))?))
}

async fn audio(call: Call) -> Result<Reply, Problem> {
    let audio = call.edge.office.prompt_audio(call.path("name")).await?;
    wav(audio)
}

/// A WAV file as a reply.
pub(crate) fn wav(audio: Vec<u8>) -> Result<Reply, Problem> {
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "audio/wav")
        .header(header::CACHE_CONTROL, "private, no-store")
        .body(Body::from(audio));
    let failed = |error: axum::http::Error| Problem::new(Code::Internal, error.to_string());
    Ok(Reply::Raw(response.map_err(failed)?))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let by = call.caller()?.principal.clone();
    call.edge.office.remove_prompt(&by, call.path("name")).await?;
    Ok(Reply::nothing())
}

fn example() -> Value {
    json!({
        "name": "custom/welcome", "bytes": 96_044, "length_secs": 6.0,
        "checksum": "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    })
}

/// The operations of prompts.
pub(crate) fn operations() -> Vec<Operation> {
    let (all, one) = ("/api/v1/prompts", "/api/v1/prompts/{name}");
    let op = |id, method, path: &str, summary, handler| {
        Operation::new(id, method, path, summary, handler).tag("configuration")
    };
    vec![
        op("listPrompts", Method::GET, all, "List the uploaded prompts", handler!(list))
            .needs(Permission::ConfigRead)
            .ok(Shape::of::<Prompts>(json!({ "items": [example()] }))),
        op("putPrompt", Method::PUT, one, "Upload a prompt, anew or again", handler!(put))
            .needs(Permission::ConfigWrite)
            .takes_audio()
            .ok(Shape::of::<Prompt>(example())),
        op(
            "getPromptAudio",
            Method::GET,
            &format!("{one}/audio"),
            "Give the audio of an uploaded prompt",
            handler!(audio),
        )
        .needs(Permission::ConfigRead)
        .answers(Answer::Audio),
        op("deletePrompt", Method::DELETE, one, "Delete an uploaded prompt", handler!(remove))
            .needs(Permission::ConfigWrite),
    ]
}
