//! Subject and text of a letter, by the template that fits.

use tandem_config::resource::letter::{LetterKind, LetterValues, one_line, render};
use tandem_config::resource::{Queue, Settings};

/// The words of a letter about a queue: by the template of the settings for the queue's language,
/// else by the house's own.
pub(super) fn of(
    settings: &Settings,
    kind: LetterKind,
    queue: Option<&Queue>,
    values: &LetterValues,
) -> (String, String) {
    let spoken = queue.map(|queue| queue.prompts.language.as_str()).filter(|it| !it.is_empty());
    let language = spoken.unwrap_or(&settings.language);
    let own = settings.letters.iter().find(|it| it.event == kind && it.language == language);
    if let Some(own) = own {
        match (render(&own.subject, values), render(&own.text, values)) {
            (Ok(subject), Ok(text)) if !subject.trim().is_empty() => {
                return (one_line(&subject), text);
            }
            (Ok(_), Ok(_)) => tracing::warn!(?kind, %language, "the subject of a letter is empty"),
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(?kind, %language, %error, "a template of a letter failed");
            }
        }
    }
    let (subject, text) = kind.default_words();
    let plain = |template: &str| {
        render(template, values).expect("the house's templates take all values: a test has each")
    };
    (one_line(&plain(&subject)), plain(&text))
}
