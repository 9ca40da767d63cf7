//! Asking a caller, once the agent has hung up, what the talk was like.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

use tandem_config::resource::Queue;

use super::{Act, Clip, Cue};

/// How long the caller may think.
const THINKS_FOR: Duration = Duration::from_secs(10);
/// Said after the question was answered, unless the queue has an end prompt of its own.
const THANKS: &str = "survey-thanks";

/// What a queue asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyWords {
    prompt: String,
    end_prompt: String,
    /// Keys without a score are ignored.
    scores: BTreeMap<char, i8>,
}

impl SurveyWords {
    /// What a queue asks, if it does; its own prompts without a folder are of its language.
    #[must_use]
    pub fn of(queue: &Queue) -> Option<Self> {
        let (survey, language) = (&queue.survey, &queue.prompts.language);
        let spoken = |file: &str| match file {
            file if file.contains('/') || language.is_empty() => file.to_owned(),
            file => format!("{language}/{file}"),
        };
        if survey.prompt.is_empty() {
            return None;
        }
        let end = if survey.end_prompt.is_empty() { THANKS } else { &survey.end_prompt };
        let scores = survey.scores.iter();
        Some(Self {
            prompt: spoken(&survey.prompt),
            end_prompt: spoken(end),
            scores: scores.filter_map(|(key, score)| Some((key.chars().next()?, *score))).collect(),
        })
    }
}

/// A caller who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The queue.
    pub queue: String,
    /// The agent who answered the queue call.
    pub agent: String,
    words: SurveyWords,
    is_rated: bool,
}

impl Survey {
    /// A caller of a queue who has talked with an agent.
    #[must_use]
    pub fn new(queue: &str, agent: &str, words: SurveyWords) -> Self {
        Self { queue: queue.to_owned(), agent: agent.to_owned(), words, is_rated: false }
    }

    /// Takes a cue and says what is to be done. The first valid key wins.
    pub fn cue(&mut self, cue: &Cue) -> Vec<Act> {
        match cue {
            Cue::Begin => vec![Act::Play(vec![Clip::file(&self.words.prompt)])],
            Cue::Played if !self.is_rated => vec![Act::Wait(THINKS_FOR)],
            Cue::Played | Cue::TimedOut => vec![Act::HangUp],
            Cue::Digit(key) if !self.is_rated => {
                let Some(score) = self.words.scores.get(key).copied() else { return Vec::new() };
                self.is_rated = true;
                let (queue, agent) = (self.queue.clone(), self.agent.clone());
                let thanks = Act::Play(vec![Clip::file(&self.words.end_prompt)]);
                vec![Act::Rate { queue, agent, key: *key, score }, thanks]
            }
            Cue::Digit(_) | Cue::LookedUp { .. } | Cue::Saved(_) | Cue::Changed(_) => Vec::new(),
        }
    }
}
