//! The queue feature codes that are dialled on a phone.

use tandem_config::resource::Settings;

use super::command::{Command, Scope};

/// What a dialled code asks for; none when it is no queue feature code. Exact codes win over
/// prefix codes, and the longer prefix over the shorter. An empty code is switched off.
#[must_use]
pub fn parse(settings: &Settings, dialled: &str) -> Option<Command> {
    let exact = [
        (&settings.code_login_all, Command::LogIn(Scope::All)),
        (&settings.code_login_last, Command::LogInLast),
        (&settings.code_logout_all, Command::LogOut(Scope::All)),
    ];
    for (code, command) in exact {
        if !code.is_empty() && dialled == code {
            return Some(command);
        }
    }
    let (login, pause) = (&settings.code_queue_login, &settings.code_queue_pause);
    let login = login_toggle(login, dialled).map(|command| (login.len(), command));
    let pause = pause_toggle(pause, dialled).map(|command| (pause.len(), command));
    login.into_iter().chain(pause).max_by_key(|(len, _)| *len).map(|(_, command)| command)
}

fn login_toggle(code: &str, dialled: &str) -> Option<Command> {
    let queue = after(code, dialled)?;
    is_number(queue).then(|| Command::ToggleLogin(queue.to_owned()))
}

/// `*07<queue>`, or `*07<queue><reason>` where the reason begins with `*`.
fn pause_toggle(code: &str, dialled: &str) -> Option<Command> {
    let rest = after(code, dialled)?;
    let (queue, reason) = match rest.find('*') {
        Some(at) => (&rest[..at], Some(rest[at..].to_owned())),
        None => (rest, None),
    };
    let digits = reason.as_deref().is_none_or(|reason| is_number(&reason[1..]));
    (is_number(queue) && digits).then(|| Command::TogglePause(queue.to_owned(), reason))
}

fn after<'a>(code: &str, dialled: &'a str) -> Option<&'a str> {
    if code.is_empty() { None } else { dialled.strip_prefix(code) }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
