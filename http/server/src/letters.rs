//! The templates of letters: what there is without any, and how one reads. What is written
//! in their place stands in the settings.

use axum::http::Method;
use serde_json::json;
use tandem_actors::office::Refusal;
use tandem_api::resource as api;
use tandem_config::resource::letter::{LetterKind, LetterTemplate, LetterValues};

use crate::convert;
use crate::operation::{Call, Operation, Reply, Shape, handler, read};
use crate::problem::Problem;
use crate::rights::Permission;

async fn show(_: Call) -> Result<Reply, Problem> {
    let defaults = LetterKind::ALL.into_iter().map(|kind| {
        let (subject, text) = kind.default_words();
        let event = read(convert::value(&kind)?)?;
        Ok(api::DefaultLetter { event, subject, text })
    });
    let values = convert::value(&LetterValues::default())?;
    let variables = values.as_object().into_iter().flat_map(|it| it.keys().cloned());
    let letters = api::Letters {
        defaults: defaults.collect::<Result<_, Problem>>()?,
        variables: variables.collect(),
    };
    Ok(Reply::ok(convert::value(&letters)?))
}

async fn preview(mut call: Call) -> Result<Reply, Problem> {
    let wish: api::LetterTemplate = call.read()?;
    let template: LetterTemplate = read(convert::value(&wish)?)?;
    let (subject, text) = template.preview().map_err(Refusal::Invalid)?;
    Ok(Reply::ok(convert::value(&api::LetterPreview { subject, text })?))
}

pub(crate) fn operations() -> Vec<Operation> {
    let subject = "Missed call in queue {{ queue_number }}";
    let text = "{{ caller_number }} waited {{ waiting_time }} s\n";
    let letters = json!({
        "defaults": [{ "event": "queue_missed_call", "subject": subject, "text": text }],
        "variables": ["queue_number", "caller_number", "waiting_time"],
    });
    let template = json!({
        "event": "queue_missed_call", "language": "en", "subject": subject, "text": text,
    });
    let read = json!({
        "subject": "Missed call in queue 6400", "text": "0912345678 waited 42 s\n",
    });
    let path = "/api/v1/letters";
    let summary = "Show the letters' own templates, and what a template can name";
    let shown = Operation::new("getLetters", Method::GET, path, summary, handler!(show))
        .tag("configuration")
        .needs(Permission::ConfigRead)
        .ok(Shape::of::<api::Letters>(letters));
    let path = "/api/v1/letters/preview";
    let summary = "Read a letter by a template, with sample values";
    let previewed = Operation::new("previewLetter", Method::POST, path, summary, handler!(preview))
        .tag("configuration")
        .needs(Permission::ConfigRead)
        .body(Shape::of::<api::LetterTemplate>(template))
        .ok(Shape::of::<api::LetterPreview>(read));
    vec![shown, previewed]
}
