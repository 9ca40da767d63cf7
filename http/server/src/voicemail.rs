//! Messages of mailboxes: seeing, hearing, throwing them away. An extension sees its own mailbox
//! and those of the groups it is in.

use axum::http::Method;
use serde_json::{Value, json};
use tandem_actors::flow::MessageChange;
use tandem_api::voicemail as api;

use crate::convert;
use crate::cursor::{self, Page};
use crate::operation::{Answer, Call, Operation, Reply, Shape, handler};
use crate::problem::Problem;
use crate::prompts;
use crate::rights::Permission;

/// The mailbox of the path, if there is one and the caller may look into it.
fn mailbox(call: &Call) -> Result<&str, Problem> {
    let number = call.path("number");
    let missing = || Problem::not_found("mailbox", &number.chars().take(64).collect::<String>());
    let directory = call.edge.office.provisioning().directory();
    directory.mailbox(number).ok_or_else(missing)?;
    let Some(extension) = call.bound_to()? else { return Ok(number) };
    let group = directory.group_voicemail(number);
    let is_member = group.is_some_and(|group| group.members.iter().any(|it| it == extension));
    if number != extension && !is_member {
        return Err(missing());
    }
    Ok(number)
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let mailbox = mailbox(&call)?;
    let page = Page::live(&call)?;
    let messages = call.edge.office.messages(mailbox)?;
    let messages = page.cut(messages.into_iter().map(|it| (it.id.clone(), it)).collect());
    let item = |(key, it)| Ok((key, convert::value(&convert::message(mailbox, it))?));
    Ok(Reply::ok(page.body(messages.into_iter().map(item).collect::<Result<_, Problem>>()?)))
}

async fn audio(call: Call) -> Result<Reply, Problem> {
    let audio = call.edge.office.message_audio(mailbox(&call)?, call.path("id")).await?;
    prompts::wav(audio)
}

async fn change(call: Call, change: MessageChange) -> Result<Reply, Problem> {
    let by = call.caller()?.principal.clone();
    let (mailbox, id) = (mailbox(&call)?, call.path("id"));
    call.edge.office.change_message(&by, mailbox, id, change).await?;
    Ok(Reply::nothing())
}

async fn heard(call: Call) -> Result<Reply, Problem> {
    change(call, MessageChange::Heard).await
}

async fn delete(call: Call) -> Result<Reply, Problem> {
    change(call, MessageChange::Deleted).await
}

fn example() -> Value {
    json!({
        "id": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a11", "mailbox": "1001",
        "at": "2026-01-15T08:30:00.000000Z", "call": "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10",
        "from": "0225550100", "length_secs": 12.3, "bytes": 196_844,
        "checksum": "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        "heard_at": null,
    })
}

/// The operations of voicemail.
pub(crate) fn operations() -> Vec<Operation> {
    let all = "/api/v1/voicemail/{number}/messages";
    let one = "/api/v1/voicemail/{number}/messages/{id}";
    let op = |id, method, path: &str, summary, handler| {
        Operation::new(id, method, path, summary, handler).tag("voicemail")
    };
    let page = json!({ "items": [example()], "next_cursor": null });
    vec![
        op("listMessages", Method::GET, all, "List the messages of a mailbox", handler!(list))
            .needs(Permission::VoicemailRead)
            .query(cursor::LIVE)
            .ok(Shape::page::<api::Message>(page)),
        op(
            "getMessageAudio",
            Method::GET,
            &format!("{one}/audio"),
            "Give the audio of a message: WAV, 16-bit mono at 8 kHz",
            handler!(audio),
        )
        .needs(Permission::VoicemailRead)
        .answers(Answer::Audio),
        op(
            "markMessageHeard",
            Method::POST,
            &format!("{one}/heard"),
            "Mark a message as heard",
            handler!(heard),
        )
        .needs(Permission::VoicemailWrite),
        op("deleteMessage", Method::DELETE, one, "Throw a message away", handler!(delete))
            .needs(Permission::VoicemailWrite),
    ]
}
