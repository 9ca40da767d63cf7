#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const NEW_YORK: &str = "America/New_York";
const TAIPEI: &str = "Asia/Taipei";
const ZONES: [&str; 4] = [NEW_YORK, TAIPEI, "Europe/Berlin", "Pacific/Chatham"];

fn profile(zone: &str, days: &[&str], from: &str, to: &str) -> TimeProfile {
    let days = days.iter().map(|day| (*day).to_owned()).collect();
    let hours = vec![OfficeHours { days, from: from.into(), to: to.into() }];
    TimeProfile { name: "office".into(), zone: zone.into(), hours, holidays: Vec::new() }
}

fn at(utc: &str) -> Timestamp {
    utc.parse().unwrap()
}

/// The office opens and closes at these moments, and is open all the time between them.
fn assert_open(profile: &TimeProfile, from: &str, to: &str) {
    let (from, to) = (at(from).as_second(), at(to).as_second());
    let is_open = |second| profile.is_open(Timestamp::from_second(second).unwrap());
    assert!(!is_open(from - 1), "open before it opens");
    assert!(!is_open(to), "open when it is over");
    for second in (from..to).step_by(60).chain([to - 1]) {
        assert!(is_open(second), "closed {} s after it opened", second - from);
    }
}

#[test]
fn q_041_office_hours_follow_the_clocks_when_they_are_put_forward_and_back() {
    let office = profile(NEW_YORK, &["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00");
    assert_open(&office, "2026-03-06T14:00:00Z", "2026-03-06T22:00:00Z");
    assert_open(&office, "2026-03-09T13:00:00Z", "2026-03-09T21:00:00Z");
    assert_open(&office, "2026-10-30T13:00:00Z", "2026-10-30T21:00:00Z");
    assert_open(&office, "2026-11-02T14:00:00Z", "2026-11-02T22:00:00Z");
}

#[test]
fn q_041_a_night_shift_is_an_hour_shorter_or_longer_when_the_clocks_change() {
    let night = profile(NEW_YORK, &[], "22:00", "06:00");
    assert_open(&night, "2026-03-07T03:00:00Z", "2026-03-07T11:00:00Z");
    assert_open(&night, "2026-03-08T03:00:00Z", "2026-03-08T10:00:00Z");
    assert_open(&night, "2026-11-01T02:00:00Z", "2026-11-01T11:00:00Z");
    let night = profile(TAIPEI, &[], "22:00", "06:00");
    assert_open(&night, "2026-03-08T14:00:00Z", "2026-03-08T22:00:00Z");
}

#[test]
fn q_041_hours_in_the_hour_that_is_left_out_or_comes_twice() {
    let early = profile(NEW_YORK, &["sun"], "02:30", "03:30");
    assert_open(&early, "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z");
    let twice = profile(NEW_YORK, &["sun"], "01:00", "02:00");
    assert_open(&twice, "2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z");
}

#[test]
fn q_041_hours_over_midnight_belong_to_the_day_on_which_they_begin_in_each_zone() {
    let taipei = profile(TAIPEI, &["fri"], "22:00", "02:00");
    assert_open(&taipei, "2026-11-20T14:00:00Z", "2026-11-20T18:00:00Z");
    let los_angeles = profile("America/Los_Angeles", &["fri"], "22:00", "02:00");
    assert_open(&los_angeles, "2026-11-21T06:00:00Z", "2026-11-21T10:00:00Z");
    // Friday 01:00 and Saturday 23:00 by the clocks of the zone.
    for (office, utc) in [
        (&taipei, "2026-11-19T17:00:00Z"),
        (&taipei, "2026-11-21T15:00:00Z"),
        (&los_angeles, "2026-11-20T09:00:00Z"),
        (&los_angeles, "2026-11-22T07:00:00Z"),
    ] {
        assert!(!office.is_open(at(utc)), "{utc}");
    }
}

#[test]
fn an_office_without_hours_is_never_open() {
    let mut office = profile(TAIPEI, &[], "00:00", "00:00");
    assert!(office.is_open(at("2026-11-20T14:00:00Z")));
    office.hours.clear();
    assert!(!office.is_open(at("2026-11-20T14:00:00Z")));
}

proptest! {
    #[test]
    fn each_moment_lies_in_a_span_or_in_the_rest_of_the_day_and_never_in_both(
        second in 1_767_225_600_i64..1_830_297_600,
        zone in proptest::sample::select(ZONES.to_vec()),
        (from, to) in ((0_u32..1_440), (0_u32..1_440)).prop_filter("two times", |(a, b)| a != b),
    ) {
        let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let span = profile(zone, &[], &clock(from), &clock(to));
        let rest = profile(zone, &[], &clock(to), &clock(from));
        let at = Timestamp::from_second(second).unwrap();
        prop_assert!(span.is_open(at) ^ rest.is_open(at));
        let hours = span.hours[0].clone();
        let alone = Hours { zone: zone.into(), days: hours.days, from: hours.from, to: hours.to };
        prop_assert_eq!(alone.hold_at(at), span.is_open(at), "one rule for flows and queues");
    }
}

fn holiday(name: &str, from: &str, to: &str, every_year: bool) -> Holiday {
    let (name, from, to) = (name.to_owned(), from.to_owned(), to.to_owned());
    Holiday { name, from, to, every_year, prompt: "custom/closed".to_owned() }
}

fn day_off(profile: &TimeProfile, utc: &str) -> Option<String> {
    profile.holiday(at(utc)).map(|holiday| holiday.name.clone())
}

#[test]
fn q_043_a_holiday_lasts_from_midnight_to_midnight_in_its_zone() {
    for (zone, begins, last, ends) in [
        (TAIPEI, "2026-02-15T16:00:00Z", "2026-02-20T15:59:59Z", "2026-02-20T16:00:00Z"),
        (NEW_YORK, "2026-02-16T05:00:00Z", "2026-02-21T04:59:59Z", "2026-02-21T05:00:00Z"),
    ] {
        let mut office = profile(zone, &[], "09:00", "17:00");
        office.holidays.push(holiday("New Year", "2026-02-16", "2026-02-20", false));
        let before = Timestamp::from_second(at(begins).as_second() - 1).unwrap();
        assert_eq!(office.holiday(before), None, "{zone}");
        assert_eq!(day_off(&office, begins).as_deref(), Some("New Year"), "{zone}");
        assert_eq!(day_off(&office, last).as_deref(), Some("New Year"), "{zone}");
        assert_eq!(day_off(&office, ends), None, "{zone}");
        assert_eq!(day_off(&office, "2027-02-17T12:00:00Z"), None, "only that year");
    }
}

#[test]
fn q_043_a_holiday_of_every_year_may_go_over_the_turn_of_the_year() {
    let mut office = profile(TAIPEI, &[], "09:00", "17:00");
    office.holidays.push(holiday("Turn", "2020-12-31", "2021-01-02", true));
    for (utc, wanted) in [
        ("2026-12-30T12:00:00Z", None),
        ("2026-12-31T12:00:00Z", Some("Turn")),
        ("2030-01-02T12:00:00Z", Some("Turn")),
        ("2030-01-03T12:00:00Z", None),
    ] {
        assert_eq!(day_off(&office, utc).as_deref(), wanted, "{utc}");
    }
}

fn extension(number: &str) -> Destination {
    Destination::Extension { number: number.into() }
}

#[test]
fn q_040_to_q_045_a_holiday_comes_first_then_the_office_hours() {
    let mut office = profile(TAIPEI, &["mon", "tue", "wed", "thu", "fri"], "09:00", "18:00");
    office.holidays.push(holiday("Day", "2026-10-09", "2026-10-09", false));
    let times = TimeCondition {
        enabled: true,
        time_profile: "office".into(),
        out_of_hours_destination: extension("1001"),
        holiday_destination: extension("1002"),
        ignore_holiday: false,
        play_holiday_prompt: true,
    };
    let goes = |times: &TimeCondition, office: &TimeProfile, utc: &str| {
        let diversion = times.divert(office, at(utc));
        diversion.map(|it| (it.destination, it.prompt, it.why))
    };
    let (open, closed) = ("2026-10-08T02:00:00Z", "2026-10-08T12:00:00Z");
    let (day_off, night_off) = ("2026-10-09T02:00:00Z", "2026-10-09T12:00:00Z");
    let out_of_hours = Some((extension("1001"), None, "outside office hours".to_owned()));
    let prompt = Some("custom/closed".to_owned());
    let on_holiday = Some((extension("1002"), prompt, "holiday Day".to_owned()));

    assert_eq!(goes(&times, &office, open), None);
    assert_eq!(goes(&times, &office, closed), out_of_hours);
    assert_eq!(goes(&times, &office, day_off), on_holiday);
    assert_eq!(goes(&times, &office, night_off), on_holiday);

    let ignoring = TimeCondition { ignore_holiday: true, ..times.clone() };
    assert_eq!(goes(&ignoring, &office, day_off), None, "Q-044");
    assert_eq!(goes(&ignoring, &office, night_off), out_of_hours, "Q-044");
    let silent = TimeCondition { play_holiday_prompt: false, ..times.clone() };
    assert_eq!(goes(&silent, &office, day_off).unwrap().1, None, "Q-045");
    let off = TimeCondition { enabled: false, ..times.clone() };
    assert_eq!(goes(&off, &office, day_off), None, "Q-040");
    office.holidays[0].prompt.clear();
    assert_eq!(goes(&times, &office, day_off).unwrap().1, None, "Q-045: it has no prompt");
}
