//! Merging the layers and finding every problem in them.

use toml::{Table, Value};

use super::{NodeConfig, Problem};

/// The commented sample; it is the reference and parses to the defaults.
pub const DEFAULTS: &str = include_str!("../../samples/tandem.toml");

/// Reads the file's text and lays `overrides` (dotted key, TOML value or bare text) over it.
/// `newest` is the highest level of the members' language that this build speaks.
///
/// # Errors
/// Every problem found, in the order of their lines.
pub fn load(
    text: &str,
    overrides: &[(String, String)],
    newest: u16,
) -> Result<NodeConfig, Vec<Problem>> {
    let known: Table = DEFAULTS.parse().expect("the sample is TOML: a test holds it");
    let file: Table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
    let mut problems = Vec::new();
    unknown_keys(text, &known, &file, "", &mut problems);
    let mut merged = known.clone();
    lay_over(&mut merged, file);
    for (key, value) in overrides {
        if let Err(problem) = set(&mut merged, key, value) {
            problems.push(problem);
        }
    }
    problems.extend(wrong_types(text, &known, &merged));
    // What can not be read is taken for the default, so that it hides nothing of the rest.
    for problem in &problems {
        forget(&mut merged, &known, &problem.key);
    }
    match NodeConfig::deserialize_from(merged) {
        Ok(config) => {
            problems.extend(config.rules(newest).into_iter().map(|(key, what, hint)| Problem {
                line: line_of(text, key),
                key: key.to_owned(),
                what,
                hint: hint.to_owned(),
            }));
            if problems.is_empty() {
                return Ok(config);
            }
        }
        Err(problem) if problems.is_empty() => problems.push(problem),
        Err(_) => {}
    }
    problems.sort_by_key(|problem| problem.line);
    Err(problems)
}

impl NodeConfig {
    fn deserialize_from(table: Table) -> Result<Self, Problem> {
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| Problem {
            line: None,
            key: error.path().to_string(),
            what: error.inner().message().to_owned(),
            hint: String::new(),
        })
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let line =
        error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    Problem { line, key: String::new(), what: error.message().to_owned(), hint: String::new() }
}

fn lay_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Puts the default in the place of a key's value; what has none goes.
fn forget(table: &mut Table, known: &Table, key: &str) {
    let (step, rest) = key.split_once('.').map_or((key, None), |(step, rest)| (step, Some(rest)));
    match (rest, table.get_mut(step), known.get(step)) {
        (Some(rest), Some(Value::Table(table)), Some(Value::Table(known))) => {
            forget(table, known, rest);
        }
        (_, _, Some(default)) => drop(table.insert(step.to_owned(), default.clone())),
        (_, _, None) => drop(table.remove(step)),
    }
}

fn set(table: &mut Table, key: &str, value: &str) -> Result<(), Problem> {
    let refused = |what: &str| Problem {
        line: None,
        key: key.to_owned(),
        what: what.to_owned(),
        hint: String::new(),
    };
    let mut path: Vec<&str> = key.split('.').collect();
    let last = path.pop().ok_or_else(|| refused("the key is empty"))?;
    let mut place = table;
    for step in path {
        place = match place.get_mut(step) {
            Some(Value::Table(next)) => next,
            _ => return Err(refused("there is no such section")),
        };
    }
    let Some(before) = place.get(last) else { return Err(refused("there is no such key")) };
    let parsed = match before {
        Value::String(_) => Value::String(value.trim_matches('"').to_owned()),
        _ => format!("v = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("v"))
            .ok_or_else(|| refused("the value can not be read"))?,
    };
    place.insert(last.to_owned(), parsed);
    Ok(())
}

fn unknown_keys(text: &str, known: &Table, given: &Table, at: &str, found: &mut Vec<Problem>) {
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (known.get(key), value) {
            (Some(Value::Table(known)), Value::Table(given)) => {
                unknown_keys(text, known, given, &path, found);
            }
            (Some(_), _) => {}
            (None, _) => found.push(Problem {
                line: line_of(text, &path),
                what: "this key is not known".to_owned(),
                hint: nearest(key, known.keys())
                    .map_or_else(String::new, |near| format!("did you mean {near}?")),
                key: path,
            }),
        }
    }
}

/// Each section is read by itself, so that one wrong value does not hide the next.
fn wrong_types(text: &str, known: &Table, merged: &Table) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (section, value) in merged {
        let Value::Table(keys) = value else { continue };
        for (key, value) in keys {
            let mut alone = known.clone();
            let Some(Value::Table(place)) = alone.get_mut(section) else { continue };
            if !place.contains_key(key) {
                continue;
            }
            place.insert(key.clone(), value.clone());
            if let Err(problem) = NodeConfig::deserialize_from(alone) {
                let path = format!("{section}.{key}");
                problems.push(Problem {
                    line: line_of(text, &path),
                    key: path,
                    what: problem.what,
                    hint: format!("like {}", known[section][key]),
                });
            }
        }
    }
    problems
}

/// The line on which a dotted key stands, as far as sections and keys are on lines of their own.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut current = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name;
            if name == path {
                return Some(number + 1);
            }
        } else if current == section
            && line.split('=').next().is_some_and(|before| before.trim() == key)
        {
            return Some(number + 1);
        }
    }
    None
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate.as_str())
}

/// Levenshtein's distance of two short words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
