//! Numbers as they are typed, and their E.164 form.

use tandem_config::resource::OutboundPolicy;

/// Shortest number that is more than a service of the own country.
const LEAST: usize = 5;
/// Longest number of E.164.
const MOST: usize = 15;

/// The number without what people write between digits (O-021); a `+` is kept. None when there
/// is a character that can not be dialled.
#[must_use]
pub fn cleaned(dialled: &str) -> Option<String> {
    let kept: String = dialled.chars().filter(|c| !" -.()[]/".contains(*c)).collect();
    let dialable = |c: char| c.is_ascii_digit() || "+*#".contains(c);
    kept.chars().all(dialable).then_some(kept)
}

/// The number as E.164 digits without `+`; what can not be normalised stays as its digits. None
/// for a withheld or malformed number (C-017).
#[must_use]
pub fn e164(policy: &OutboundPolicy, number: &str) -> Option<String> {
    let number = cleaned(number)?;
    let found = international(policy, &number).unwrap_or(number);
    let right = found.bytes().all(|b| b.is_ascii_digit()) && (1..=MOST).contains(&found.len());
    right.then_some(found)
}

/// With its country code in front, when that is known.
fn international(policy: &OutboundPolicy, number: &str) -> Option<String> {
    if let Some(whole) = number.strip_prefix('+') {
        return Some(whole.to_owned());
    }
    let home = &policy.home_country;
    if home.is_empty() || number.len() < LEAST {
        return None;
    }
    if let Some(whole) = after(number, &policy.international_prefix) {
        return Some(whole.to_owned());
    }
    if let Some(national) = after(number, &policy.national_prefix) {
        return Some(format!("{home}{national}"));
    }
    // Carriers leave the `+` out: a long number that begins with the own code has it already.
    let is_whole = number.starts_with(home.as_str()) && number.len() > home.len() + 7;
    Some(if is_whole { number.to_owned() } else { format!("{home}{number}") })
}

fn after<'a>(number: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() { None } else { number.strip_prefix(prefix) }
}

/// Whether the number's country may be called. A number without a country is the own one's.
#[must_use]
pub fn is_country_allowed(policy: &OutboundPolicy, number: &str) -> bool {
    if policy.allowed_countries.is_empty() {
        return true;
    }
    let abroad = number.strip_prefix('+').or_else(|| after(number, &policy.international_prefix));
    match (abroad, international(policy, number)) {
        (Some(whole), _) => begins_with_any(policy, whole),
        (None, Some(whole)) => begins_with_any(policy, &whole),
        (None, None) => true,
    }
}

fn begins_with_any(policy: &OutboundPolicy, whole: &str) -> bool {
    policy.allowed_countries.iter().any(|country| whole.starts_with(country.as_str()))
}
