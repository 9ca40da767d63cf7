//! The templates of letters.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a letter is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// A caller left unanswered, not by hanging up.
    #[default]
    QueueMissedCall,
    /// A caller hung up while waiting.
    QueueAbandonedCall,
    /// The service level is below its threshold.
    QueueSlaAlarm,
    /// A caller asked to be called back.
    QueueCallbackRequested,
    /// A callback came to nothing.
    QueueCallbackFailed,
    /// An agent who missed calls was paused.
    AgentAutoPaused,
}

/// Subject and text of one kind of letter in one language. Variables stand in `{{ }}`; templates
/// are those of minijinja. What a letter has nothing to say about is empty or 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LetterTemplate {
    /// Of which letter.
    pub event: LetterKind,
    /// For queues of this language: `en`, `zh-hant` or `zh-hans`.
    pub language: String,
    /// The subject, 1 to 200 characters.
    pub subject: String,
    /// The text, 1 to 10000 characters.
    pub text: String,
}

/// A letter as the house writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DefaultLetter {
    /// Of which letter.
    pub event: LetterKind,
    /// The template of the subject.
    pub subject: String,
    /// The template of the text.
    pub text: String,
}

/// All letters that can be written in other words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Letters {
    /// Their templates where `letters` of the settings have no other.
    pub defaults: Vec<DefaultLetter>,
    /// What a template can name.
    pub variables: Vec<String>,
}

/// A letter with sample values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterPreview {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}
