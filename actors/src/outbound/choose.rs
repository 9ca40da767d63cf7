//! Which outbound code a number takes, and what is left of the number (O-013, O-015 to O-019,
//! O-023 to O-026).

use tandem_config::resource::OutboundCode;

use super::{Barred, Rule, Wish};
use crate::provisioning::Directory;

/// A code, or none, and the bare number.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<'a> {
    /// The code; none: the ordinary route.
    pub code: Option<&'a OutboundCode>,
    /// Without the code's digits.
    pub number: String,
}

/// Chooses for a cleaned number: a picked code, else a typed one, else that of the call that is
/// being transferred, else the default one.
///
/// # Errors
/// Why it is not let out. A code that may not be used is never passed over in silence.
pub fn choose<'a>(
    directory: &'a Directory,
    extension: Option<&str>,
    number: &str,
    wish: &Wish,
) -> Result<Choice<'a>, Barred> {
    let choice = match &wish.code {
        Some(id) => picked(directory, id, number, wish.is_typed)?,
        None => unpicked(directory, extension, number, wish)?,
    };
    let digits = choice.number.bytes().any(|b| b.is_ascii_digit());
    if !digits {
        return Err(Barred::new(Rule::NumberMissing, "the number is missing"));
    }
    if let Some(code) = choice.code
        && extension.is_some_and(|extension| !may_use(directory, code, extension))
    {
        let why = format!("no permission for the outbound code {}", code.name);
        return Err(Barred::new(Rule::CodeNotPermitted, why));
    }
    Ok(choice)
}

fn picked<'a>(
    directory: &'a Directory,
    id: &str,
    number: &str,
    is_typed: bool,
) -> Result<Choice<'a>, Barred> {
    let policy = &directory.settings().outbound;
    let usable = |code: &&OutboundCode| policy.codes_enabled && code.enabled;
    let Some(code) = directory.outbound_code(id).filter(usable) else {
        return Err(Barred::new(Rule::CodeUnknown, format!("there is no outbound code {id}")));
    };
    let rest = number.strip_prefix(code.code.as_str()).filter(|_| is_typed);
    Ok(Choice { code: Some(code), number: rest.unwrap_or(number).to_owned() })
}

fn unpicked<'a>(
    directory: &'a Directory,
    extension: Option<&str>,
    number: &str,
    wish: &Wish,
) -> Result<Choice<'a>, Barred> {
    let policy = &directory.settings().outbound;
    if !policy.codes_enabled {
        return Ok(Choice { code: None, number: number.to_owned() });
    }
    if let Some(choice) = typed(directory, number) {
        return Ok(choice);
    }
    if directory.outbound_codes().any(|code| code.enabled && code.code == number) {
        return Err(Barred::new(Rule::NumberMissing, "a code alone: the number is missing"));
    }
    let usable = |id: &str| directory.outbound_code(id).filter(|code| code.enabled);
    let inherited = wish.inherited.as_deref().and_then(usable);
    let code = inherited.or_else(|| default(directory, extension).and_then(usable));
    Ok(Choice { code, number: number.to_owned() })
}

/// The longest code with enough digits behind it (O-023, O-025).
fn typed<'a>(directory: &'a Directory, number: &str) -> Option<Choice<'a>> {
    let least = usize::from(directory.settings().outbound.min_remainder);
    let matches = directory.outbound_codes().filter(|code| code.enabled).filter_map(|code| {
        let rest = number.strip_prefix(code.code.as_str())?;
        let digits = rest.bytes().filter(u8::is_ascii_digit).count();
        (digits >= least).then_some((code, rest))
    });
    let (code, rest) = matches.max_by_key(|(code, _)| code.code.len())?;
    Some(Choice { code: Some(code), number: rest.to_owned() })
}

/// The default of the extension, of the first of its queues that has one, of the system (O-019).
fn default<'a>(directory: &'a Directory, extension: Option<&str>) -> Option<&'a str> {
    let policy = &directory.settings().outbound;
    let own = extension.and_then(|it| policy.default_code_by_extension.get(it));
    let by_queue = || {
        let extension = extension?;
        policy
            .default_code_by_queue
            .iter()
            .find(|(queue, _)| is_member(directory, queue, extension))
            .map(|(_, code)| code)
    };
    let system = Some(&policy.default_code).filter(|code| !code.is_empty());
    own.or_else(by_queue).or(system).map(String::as_str)
}

fn is_member(directory: &Directory, queue: &str, extension: &str) -> bool {
    let queue = directory.queue(queue);
    queue.is_some_and(|queue| queue.members.iter().any(|member| member.extension == extension))
}

/// Whether an extension may use a code (O-013).
#[must_use]
pub fn may_use(directory: &Directory, code: &OutboundCode, extension: &str) -> bool {
    let for_all = code.extensions.is_empty() && code.queues.is_empty();
    for_all
        || code.extensions.iter().any(|it| it == extension)
        || code.queues.iter().any(|queue| is_member(directory, queue, extension))
}
