//! Notes on calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is written on a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteWish {
    /// The remark, at most 500 characters.
    #[serde(default)]
    pub text: String,
    /// Ids of tags of the settings, at most 20.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// One writing of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteWriting {
    /// When.
    pub at: String,
    /// Who wrote it: `user:alice`, `token:ci`.
    pub by: String,
    /// The remark.
    pub text: String,
    /// Ids of tags.
    pub tags: Vec<String>,
}

/// The note on a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// As it was written last; none: never.
    pub newest: Option<NoteWriting>,
    /// What was written before, the oldest first; the last twenty.
    pub earlier: Vec<NoteWriting>,
}

/// The tags that a note can have: names by id, from the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallTags(pub BTreeMap<String, String>);
