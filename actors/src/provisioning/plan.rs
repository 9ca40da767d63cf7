//! The number plan: whatever can be dialled means one thing.
//!
//! Test numbers win over feature codes and both win over the numbers of the house, so a number
//! that one of them takes could never be reached.

use tandem_config::resource::{FieldError, OutboundCode, Settings};
use tandem_config::{Kind, Resource};

use super::Directory;
use crate::agent::{Command, codes};
use crate::numbering::{Target, voicemail_code};

const LOGIN: &str = "/code_queue_login";
const PAUSE: &str = "/code_queue_pause";

/// What a resource would make ambiguous, given all others.
pub(super) fn check(directory: &Directory, resource: &Resource) -> Vec<FieldError> {
    match resource {
        Resource::Extension(extension) => {
            let found = taken(directory.settings(), &extension.number);
            let wrong = found.map(|taken| taken.at("/number"));
            wrong.into_iter().chain(is_code(directory, &extension.number)).collect()
        }
        Resource::RingGroup(_)
        | Resource::Ivr(_)
        | Resource::CallFlow(_)
        | Resource::GroupVoicemail(_) => {
            let found = taken(directory.settings(), resource.key());
            found.map(|taken| taken.at("/number")).into_iter().collect()
        }
        Resource::Queue(queue) => {
            let found = conflicts(directory.settings(), &queue.number);
            let wrong = found.map(|conflict| conflict.at("/number"));
            wrong.chain(is_code(directory, &queue.number)).collect()
        }
        Resource::OutboundCode(code) => of_code(directory, code),
        Resource::Settings(settings) => of_settings(directory, settings),
        Resource::Trunk(_)
        | Resource::InboundRoute(_)
        | Resource::OutboundRoute(_)
        | Resource::ChannelCategory(_)
        | Resource::TimeProfile(_)
        | Resource::Wallboard(_)
        | Resource::Contact(_)
        | Resource::Console(_)
        | Resource::User(_)
        | Resource::ApiToken(_) => Vec::new(),
    }
}

/// A number of the house that is an outbound code could not be told from a code alone (O-014).
fn is_code(directory: &Directory, number: &str) -> Option<FieldError> {
    let code = directory.outbound_codes().find(|it| it.code == number)?;
    let detail = format!("{number} is the outbound code {}", code.name);
    Some(FieldError { pointer: "/number".into(), code: "ambiguous", detail })
}

/// What speaks against the digits of a code (O-014).
fn of_code(directory: &Directory, code: &OutboundCode) -> Vec<FieldError> {
    let wrong =
        |kind, detail: String| vec![FieldError { pointer: "/code".into(), code: kind, detail }];
    let settings = directory.settings();
    let tests = &settings.test_numbers;
    let reserved = settings.outbound.emergency_numbers.iter().chain([
        &tests.echo,
        &tests.tone,
        &tests.music,
        &settings.code_queue_login,
        &settings.code_queue_pause,
        &settings.code_login_all,
        &settings.code_login_last,
        &settings.code_logout_all,
    ]);
    let begins = |number: &&String| number.starts_with(code.code.as_str());
    if let Some(number) = reserved.into_iter().find(begins) {
        return wrong("reserved", format!("{number} begins with it"));
    }
    if internal(directory).any(|number| *number == code.code) {
        return wrong("ambiguous", format!("{} is a number of the house", code.code));
    }
    match internal(directory).find(begins) {
        Some(number) if !code.prefix_confirmed => wrong(
            "confirm-prefix",
            format!("{number} begins with it and wins when typed: set prefix_confirmed"),
        ),
        _ => Vec::new(),
    }
}

/// The numbers of the house.
fn internal(directory: &Directory) -> impl Iterator<Item = &String> {
    let extensions = directory.extensions().map(|it| &it.number);
    extensions.chain(directory.queues().map(|it| &it.number))
}

/// Digits with two meanings, and the setting that gives one of them.
struct Conflict {
    dialled: String,
    setting: &'static str,
}

impl Conflict {
    fn at(&self, pointer: &str) -> FieldError {
        let setting = self.setting.trim_start_matches('/').replace('/', ".");
        FieldError {
            pointer: pointer.to_owned(),
            code: "ambiguous",
            detail: format!("{} has a meaning by the setting {setting} as well", self.dialled),
        }
    }
}

/// One error for each setting, however many numbers it takes.
fn of_settings(directory: &Directory, settings: &Settings) -> Vec<FieldError> {
    let numbers =
        [Kind::Extension, Kind::RingGroup, Kind::Ivr, Kind::CallFlow, Kind::GroupVoicemail];
    let numbers = numbers.into_iter().flat_map(|kind| directory.all(kind));
    let numbers = numbers.filter_map(|it| taken(settings, it.resource.key()));
    let queues = directory.queues().flat_map(|queue| conflicts(settings, &queue.number));
    let mut wrong: Vec<FieldError> = Vec::new();
    for conflict in numbers.chain(queues) {
        if !wrong.iter().any(|known| known.pointer == conflict.setting) {
            wrong.push(conflict.at(conflict.setting));
        }
    }
    wrong
}

/// Whether a number of the house means something else before it means itself.
fn taken(settings: &Settings, number: &str) -> Option<Conflict> {
    let setting = setting_of(settings, number)?;
    Some(Conflict { dialled: number.to_owned(), setting })
}

/// What is ambiguous about a queue: its number, and the codes with its number behind them.
fn conflicts(settings: &Settings, queue: &str) -> impl Iterator<Item = Conflict> {
    let codes = [(&settings.code_queue_login, LOGIN), (&settings.code_queue_pause, PAUSE)];
    let own = codes.map(|(code, meant)| {
        let dialled = format!("{code}{queue}");
        let setting = setting_of(settings, &dialled).filter(|setting| *setting != meant)?;
        (!code.is_empty()).then_some(Conflict { dialled, setting })
    });
    taken(settings, queue).into_iter().chain(own.into_iter().flatten())
}

/// The setting that gives what is dialled its meaning, as numbering reads it.
fn setting_of(settings: &Settings, dialled: &str) -> Option<&'static str> {
    let tests = &settings.test_numbers;
    let tests = [
        (&tests.echo, "/test_numbers/echo"),
        (&tests.tone, "/test_numbers/tone"),
        (&tests.music, "/test_numbers/music"),
    ];
    if let Some((_, setting)) = tests.into_iter().find(|(number, _)| *number == dialled) {
        return Some(setting);
    }
    if settings.outbound.emergency_numbers.iter().any(|number| number == dialled) {
        return Some("/outbound/emergency_numbers");
    }
    let Some(command) = codes::parse(settings, dialled) else {
        return match voicemail_code(settings, "", dialled)? {
            Target::Listen(_) => Some("/code_voicemail"),
            _ => Some("/code_leave_message"),
        };
    };
    match command {
        Command::LogIn(_) => Some("/code_login_all"),
        Command::LogInLast => Some("/code_login_last"),
        Command::LogOut(_) => Some("/code_logout_all"),
        Command::ToggleLogin(_) => Some(LOGIN),
        Command::TogglePause(..) => Some(PAUSE),
        // No code says these.
        Command::Pause(..) | Command::Resume(_) => None,
    }
}
