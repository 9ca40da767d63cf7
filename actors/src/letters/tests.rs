#![allow(clippy::unwrap_used)]
use tandem_config::resource::letter::{LetterKind, LetterTemplate, LetterValues};
use tandem_config::resource::{Notifications, Queue, Settings};
use tandem_kernel::{CallId, Timestamp};

use super::queue::{Callers, News, moment};
use super::words;
use crate::queue::request::CallbackFailure;
use crate::queue::{Exit, OfferId, QueueEvent};

const AT: Timestamp = Timestamp::from_secs(1_700_000_000);

fn call() -> CallId {
    CallId::from_u128(1)
}

fn queue() -> Queue {
    serde_json::from_str(r#"{"number": "6400", "name": "Support"}"#).unwrap()
}

fn exited(reason: Exit) -> QueueEvent {
    QueueEvent::Exited { at: AT, call: call(), reason, wait_us: 12_000_000 }
}

fn joined() -> QueueEvent {
    let (caller, caller_name) = ("5550199".to_owned(), "Chen".to_owned());
    QueueEvent::Joined { at: AT, call: call(), caller, caller_name }
}

/// The letter that an event makes after a caller has joined.
fn letter(event: &QueueEvent) -> Option<(String, String)> {
    let mut callers = Callers::default();
    callers.follow("6400", &joined());
    let caller = callers.follow("6400", event);
    let news = News::of(event)?;
    let values = news.values(&queue(), &caller, "now");
    Some(words::of(&Settings::default(), news.kind(), Some(&queue()), &values))
}

#[test]
fn q_265_q_266_missed_and_abandoned_exclude_each_other() {
    for reason in Exit::ALL {
        let news = News::of(&exited(reason));
        let switches = |missed_call, abandoned_call| Notifications {
            missed_call,
            abandoned_call,
            ..Notifications::default()
        };
        let fires = |switches| news.as_ref().is_some_and(|news| news.is_wanted(switches));
        let count = u8::from(fires(switches(true, false))) + u8::from(fires(switches(false, true)));
        assert_eq!(count, u8::from(reason != Exit::Answered), "{reason:?}");
        assert!(!fires(Notifications::default()), "off unless wanted");
    }
}

#[test]
fn q_265_a_letter_names_queue_caller_wait_and_reason() {
    let (subject, text) = letter(&exited(Exit::MaxWait)).unwrap();
    assert_eq!(subject, "Missed call in queue 6400");
    assert_eq!(
        text,
        "Queue: 6400 Support\nWhen: now\nCaller: 5550199 Chen\nWaited: 12 s\nReason: max_wait\n"
    );
    let (subject, _) = letter(&exited(Exit::CallerHangup)).unwrap();
    assert_eq!(subject, "Abandoned call in queue 6400");
}

#[test]
fn q_268_q_269_a_callback_is_told_when_it_is_registered_and_for_every_way_it_fails() {
    let number = "5550188".to_owned();
    let asked = QueueEvent::CallbackRegistered { at: AT, call: call(), number };
    let (subject, text) = letter(&asked).unwrap();
    assert_eq!(subject, "Callback requested in queue 6400");
    assert!(text.contains("Caller: 5550199 Chen\nNumber to call: 5550188\n"), "{text}");
    for reason in [
        CallbackFailure::CustomerNoAnswer,
        CallbackFailure::NoIdleAgent,
        CallbackFailure::AgentHungUp,
        CallbackFailure::InvalidNumber,
        CallbackFailure::Cancelled,
    ] {
        let failed = QueueEvent::CallbackFailed { at: AT, call: call(), reason, wait_us: 0 };
        let (subject, text) = letter(&failed).unwrap();
        assert_eq!(subject, "Callback failed in queue 6400");
        assert!(text.contains(&format!("Reason: {}\n", reason.as_str())), "{text}");
    }
}

#[test]
fn what_is_no_news_makes_no_letter() {
    let (agent, offer) = ("1001".to_owned(), OfferId(1));
    let answered = QueueEvent::Answered { at: AT, call: call(), offer, agent, wait_us: 1 };
    assert_eq!(letter(&answered), None);
    assert_eq!(letter(&joined()), None);
}

#[test]
fn q_272_times_are_those_of_the_queues_time_zone() {
    assert_eq!(moment(AT, Some("Asia/Taipei")), "2023-11-15 06:13:20 CST");
    assert_eq!(moment(AT, None), "2023-11-14T22:13:20.000Z");
}

#[test]
fn q_265_q_267_an_evaluation_below_the_threshold_makes_a_letter_and_one_at_it_none() {
    let evaluated = |in_time| QueueEvent::LevelEvaluated {
        at: AT,
        in_time,
        total: 5,
        within_secs: 60,
        threshold_percent: 80,
        interval_mins: 30,
    };
    let (subject, text) = letter(&evaluated(3)).unwrap();

    assert_eq!(subject, "SLA alarm in queue 6400");
    assert_eq!(
        text,
        "Queue: 6400 Support\nWhen: now\nSLA: 60% of 5 calls in 30 min\nThreshold: 80%\n\
         SLA time: 60 s\n"
    );
    assert_eq!((evaluated(3).name(), evaluated(4).name()), ("sla.alarm", "sla.evaluated"));
    assert_eq!(letter(&evaluated(4)), None);
    let wanted = Notifications { sla_alarm: true, ..Notifications::default() };
    let news = News::of(&evaluated(3)).unwrap();
    assert!(news.is_wanted(wanted) && !news.is_wanted(Notifications::default()));
}

/// Settings with a template of one's own for missed calls of queues that speak `language`.
fn settings(language: &str, text: &str) -> Settings {
    let letter = LetterTemplate {
        event: LetterKind::QueueMissedCall,
        language: language.into(),
        subject: "{{ queue_name }}: {{ caller_number }}".into(),
        text: text.into(),
    };
    Settings { letters: vec![letter], language: "zh-hant".into(), ..Settings::default() }
}

#[test]
fn q_273_a_letter_is_written_by_the_template_of_its_kind_and_the_queues_language() {
    let kind = LetterKind::QueueMissedCall;
    let values = LetterValues::sample();
    let subject = |settings: &Settings, queue: &Queue, kind| {
        words::of(settings, kind, Some(queue), &values).0
    };
    let house = queue();
    let mut english = queue();
    english.prompts.language = "en".into();
    let own = settings("zh-hant", "{{ waiting_time }}");

    assert_eq!(subject(&own, &house, kind), "Support: 0912345678", "the system's language");
    assert_eq!(subject(&own, &english, kind), "Missed call in queue 6400", "another language");
    let other = LetterKind::QueueAbandonedCall;
    assert_eq!(subject(&own, &house, other), "Abandoned call in queue 6400", "another letter");
}

#[test]
fn q_273_a_template_that_fails_for_a_letter_s_values_gives_way_to_the_house_s() {
    let values = LetterValues { missed_calls: Vec::new(), ..LetterValues::sample() };
    let odd = settings("zh-hant", "{{ missed_calls[0]|upper }}");

    let (_, text) = words::of(&odd, LetterKind::QueueMissedCall, Some(&queue()), &values);

    assert!(text.contains("Caller: 0912345678 Chen"), "{text}");
}
