#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tandem_kernel::CallId;

use super::machine::{Inbox, Outbox};
use super::words::{Floor, Word};

fn word(number: u32) -> Word {
    Word::InCall { extension: number.to_string(), call: CallId::from_u128(1) }
}

/// What one letter brings, if it arrives.
fn deliver(outbox: &mut Outbox, inbox: &mut Inbox, is_answered: bool, heard: &mut Vec<Word>) {
    let Some((session, first, words)) = outbox.letter() else { return };
    match inbox.take(session, first, words.len()) {
        Some(known) => heard.extend(words.into_iter().skip(known)),
        None if is_answered => return outbox.begin_anew(session.wrapping_add(1)),
        None => return,
    }
    if is_answered {
        outbox.taken(session, inbox.next());
    }
}

#[test]
fn the_first_word_of_all_is_the_floor() {
    let (session, first, words) = Outbox::new(7).letter().unwrap();

    assert_eq!((session, first), (7, 0));
    assert_eq!(words, [Word::Floor(Floor::default())]);
}

#[test]
fn who_was_started_anew_hears_the_floor_and_what_waits() {
    let (mut outbox, mut inbox, mut heard) = (Outbox::new(7), Inbox::default(), Vec::new());
    deliver(&mut outbox, &mut inbox, true, &mut heard);
    assert!(outbox.add(word(1)));
    deliver(&mut outbox, &mut inbox, true, &mut heard);
    assert!(outbox.add(word(2)));

    let (mut fresh, mut anew) = (Inbox::default(), Vec::new());
    deliver(&mut outbox, &mut fresh, true, &mut anew);
    assert!(anew.is_empty(), "it says that it knows nothing");
    deliver(&mut outbox, &mut fresh, true, &mut anew);

    assert_eq!(anew, [Word::Floor(Floor::default()), word(2)]);
}

#[test]
fn too_many_words_are_refused() {
    let mut outbox = Outbox::new(7);

    let taken = (0..20_000).take_while(|number| outbox.add(word(*number))).count();

    assert_eq!(taken, 8_191);
}

proptest! {
    /// Whatever answers are lost, each word is heard once and in order.
    #[test]
    fn words_come_once_and_in_order(answered in prop::collection::vec(any::<bool>(), 1..60)) {
        let (mut outbox, mut inbox, mut heard) = (Outbox::new(7), Inbox::default(), Vec::new());
        for (number, is_answered) in (0..).zip(&answered) {
            prop_assert!(outbox.add(word(number)));
            deliver(&mut outbox, &mut inbox, *is_answered, &mut heard);
        }
        deliver(&mut outbox, &mut inbox, true, &mut heard);

        let all: Vec<Word> = (0..u32::try_from(answered.len()).unwrap()).map(word).collect();
        prop_assert_eq!(&heard[1..], &all[..]);
    }
}
