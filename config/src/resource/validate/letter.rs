//! What is wrong with the templates of letters: each is tried with sample values.

use super::Wrong;
use crate::resource::letter::{LetterTemplate, LetterValues, one_line, render};

/// Longest subject and text of a template, in characters.
const LONGEST_SUBJECT: usize = 200;
const LONGEST_TEXT: usize = 10_000;

impl LetterTemplate {
    /// The letter with sample values: subject and text.
    ///
    /// # Errors
    /// What is wrong, by field of the template.
    pub fn preview(&self) -> Result<(String, String), Vec<crate::resource::FieldError>> {
        let mut wrong = Wrong::default();
        self.check("", &mut wrong);
        let sample = LetterValues::sample();
        match (render(&self.subject, &sample), render(&self.text, &sample)) {
            (Ok(subject), Ok(text)) if wrong.0.is_empty() => Ok((one_line(&subject), text)),
            _ => Err(wrong.0),
        }
    }

    fn check(&self, at: &str, wrong: &mut Wrong) {
        wrong.language(&self.language, &format!("{at}/language"));
        let fields =
            [("subject", &self.subject, LONGEST_SUBJECT), ("text", &self.text, LONGEST_TEXT)];
        for (name, template, longest) in fields {
            let pointer = format!("{at}/{name}");
            wrong.text(template, 1, longest, &pointer);
            if let Err(bad) = render(template, &LetterValues::sample()) {
                wrong.unless(false, &pointer, "bad-template", &bad.to_string());
            }
        }
    }
}

/// One template of each kind in each language.
pub(super) fn check_all(letters: &[LetterTemplate], wrong: &mut Wrong) {
    for (index, letter) in letters.iter().enumerate() {
        let at = format!("/letters/{index}");
        letter.check(&at, wrong);
        let is_same =
            |it: &LetterTemplate| it.event == letter.event && it.language == letter.language;
        let again = letters[..index].iter().any(is_same);
        let detail = "one template of a letter in a language";
        wrong.unless(!again, &format!("{at}/event"), "duplicate", detail);
    }
}
