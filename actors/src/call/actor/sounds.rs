//! From the sounds of the call's machine to the programmes of the media engine.

use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tandem_config::resource::{Queue, Settings};
use tandem_engine::{Item, MediaEvent, MediaSink, PlayerId, Programme, Tone};

use super::CallState;
use crate::call::machine::{Announcements, PlaceWords, Player, Sound};
use crate::call::message::CallMsg;
use crate::exchange::Exchange;
use crate::flow::{Clip, SurveyWords};

/// The waiting audio that is no file: who waits hears the phone ring.
const RING_BACK: &str = "tone/ring-back";

impl CallState {
    pub(super) fn play(&self, myself: &ActorRef<CallMsg>, Player(number): Player, sound: Sound) {
        let call = myself.clone();
        let sink: MediaSink = Arc::new(move |event| {
            let _gone = call.cast(CallMsg::Media(event));
        });
        let player = PlayerId(number);
        let clips = match sound {
            Sound::Clips(clips) => clips,
            sound => {
                let programme = self.programme(&sound);
                self.exchange.engine.play(self.id, player, programme, sink);
                return;
            }
        };
        let is_message = |clip: &Clip| matches!(clip, Clip::Message { .. });
        if !clips.iter().any(is_message) {
            let directory = self.exchange.provisioning.directory();
            let items = clips.into_iter().flat_map(|clip| items(directory.settings(), clip));
            let programme = Programme { items: items.collect(), repeat: false };
            self.exchange.engine.play(self.id, player, programme, sink);
            return;
        }
        // The files of messages are checked first, beside the actor.
        let (exchange, call) = (Arc::clone(&self.exchange), self.id);
        tandem_kernel::spawn("message to play", async move {
            let programme = with_messages(&exchange, clips, |why| {
                sink(MediaEvent::NotPlayed { call, player, why });
            });
            let programme = programme.await;
            if !programme.items.is_empty() {
                exchange.engine.play(call, player, programme, sink);
            }
        });
    }

    /// What a queue says to those who wait, as it is configured now.
    pub(super) fn announcements(&self, queue: &str) -> Announcements {
        let directory = self.exchange.provisioning.directory();
        let Some(queue) = directory.queue(queue) else { return Announcements::default() };
        announcements(queue, &directory.settings().language)
    }

    /// Sounds that are no clips.
    fn programme(&self, sound: &Sound) -> Programme {
        let directory = self.exchange.provisioning.directory();
        let settings = directory.settings();
        let music = |wanted: Option<&str>| {
            let name = wanted.filter(|name| !name.is_empty()).unwrap_or(&settings.hold_music);
            Item::File(name.to_owned())
        };
        let (item, repeat) = match sound {
            Sound::RingBack => (Item::Tone(Tone::RingBack, None), false),
            Sound::Busy => (Item::Tone(Tone::Busy, None), false),
            Sound::Waiting { queue } => {
                let prompts = directory.queue(queue).map(|queue| &queue.prompts);
                let wanted = prompts.map(|prompts| {
                    if prompts.waiting_audio.is_empty() {
                        prompts.hold_music.as_str()
                    } else {
                        prompts.waiting_audio.as_str()
                    }
                });
                match wanted {
                    Some(RING_BACK) => (Item::Tone(Tone::RingBack, None), false),
                    wanted => (music(wanted), true),
                }
            }
            Sound::Hold { queue } => {
                let queue = queue.as_ref().and_then(|queue| directory.queue(queue));
                (music(queue.map(|queue| queue.prompts.hold_music.as_str())), true)
            }
            Sound::Music => (music(None), true),
            Sound::Tone(hertz) => (Item::Tone(Tone::Hz(f32::from(*hertz)), None), false),
            Sound::Prompt { file } => (prompt(settings, file), false),
            Sound::Clips(_) => (Item::Silence { ms: 0 }, false),
        };
        Programme { items: vec![item], repeat }
    }
}

/// What a queue says, with `system` as the language of the system.
fn announcements(queue: &Queue, system: &str) -> Announcements {
    let prompts = &queue.prompts;
    let own = Some(prompts.language.as_str()).filter(|language| !language.is_empty());
    let language = own.unwrap_or(system);
    let spoken = |file: &String| match file.as_str() {
        "" => None,
        file if file.contains('/') => Some(file.to_owned()),
        file => Some(format!("{language}/{file}")),
    };
    let every = |secs: u32| Some(Duration::from_secs(u64::from(secs))).filter(|it| !it.is_zero());
    let wanted = prompts.position || prompts.estimate || prompts.thanks;
    let place = every(prompts.position_interval_secs).filter(|_| wanted);
    Announcements {
        join: spoken(&prompts.join),
        periodic: spoken(&prompts.announcement).zip(every(prompts.announcement_interval_secs)),
        place: place.map(|interval| PlaceWords {
            language: language.to_owned(),
            position: prompts.position,
            estimate: prompts.estimate,
            thanks: prompts.thanks,
            interval,
        }),
        to_agent: spoken(&queue.agent.announcement),
        introduction: queue.agent.announce_id.then(|| language.to_owned()),
        survey: SurveyWords::of(queue),
    }
}

/// A prompt without a folder is one of the system's language.
fn prompt(settings: &Settings, file: &str) -> Item {
    if file.contains('/') {
        return Item::File(file.to_owned());
    }
    Item::File(format!("{}/{file}", settings.language))
}

/// The items of a clip; none for a message.
fn items(settings: &Settings, clip: Clip) -> Vec<Item> {
    match clip {
        Clip::File(file) => vec![prompt(settings, &file)],
        Clip::Digits(number) => {
            number.to_string().chars().map(|digit| prompt(settings, &digit.to_string())).collect()
        }
        Clip::Tone(hertz, ms) => vec![Item::Tone(Tone::Hz(f32::from(hertz)), Some(ms))],
        Clip::Message { .. } => Vec::new(),
    }
}

/// A programme with messages in it; one that can not be read is told and left out.
async fn with_messages(
    exchange: &Exchange,
    clips: Vec<Clip>,
    not_played: impl Fn(String),
) -> Programme {
    let mut programme = Programme { items: Vec::new(), repeat: false };
    for clip in clips {
        let Clip::Message { mailbox, id } = clip else {
            let directory = exchange.provisioning.directory();
            programme.items.extend(items(directory.settings(), clip));
            continue;
        };
        match exchange.voicemail.file(&mailbox, &id).await {
            Ok(path) => programme.items.push(Item::Path(path)),
            Err(refusal) => not_played(refusal.to_string()),
        }
    }
    programme
}
