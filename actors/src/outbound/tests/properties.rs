//! Must show 4: random code sets, extension ranges and numbers.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn digits(least: usize, most: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[0-9]{{{least},{most}}}")).unwrap()
}

/// Few digits, so that codes, extensions and numbers begin alike.
fn near(least: usize, most: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[12]{{{least},{most}}}")).unwrap()
}

#[derive(Clone, Debug)]
struct World {
    codes: Vec<String>,
    extensions: Vec<String>,
    unrouted: Vec<bool>,
    least: u8,
}

fn world() -> impl Strategy<Value = World> {
    let codes = prop::collection::btree_set(near(1, 4), 0..6);
    let extensions = prop::collection::btree_set(near(2, 5), 0..8);
    let unrouted = prop::collection::vec(any::<bool>(), 6);
    (codes, extensions, unrouted, 1_u8..5).prop_map(|(codes, extensions, unrouted, least)| World {
        codes: codes.into_iter().collect(),
        extensions: extensions.into_iter().collect(),
        unrouted,
        least,
    })
}

fn directory_of(world: &World) -> Directory {
    let mut resources = vec![
        settings(json!({ "min_remainder": world.least, "emergency_numbers": ["911"] })),
        json!({ "kind": "extension", "number": "9999", "password": "12345678" }),
        json!({ "kind": "trunk", "name": "by-code", "host": "192.0.2.1" }),
        json!({ "kind": "trunk", "name": "main", "host": "192.0.2.2" }),
        route("coded", "by-code"),
        json!({ "kind": "outbound-route", "name": "ordinary", "trunks": ["main"],
                "rules": [{ "pattern": "!" }] }),
        json!({ "kind": "channel-category", "name": "routed", "route": "coded" }),
        json!({ "kind": "channel-category", "name": "bare" }),
    ];
    for (code, unrouted) in world.codes.iter().zip(&world.unrouted) {
        let category = if *unrouted { "bare" } else { "routed" };
        resources.push(super::code(&format!("c{code}"), code, category));
    }
    for number in &world.extensions {
        resources.push(json!({ "kind": "extension", "number": number, "password": "12345678" }));
    }
    directory(&resources)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The order of O-022 written down a second time, in the plainest way.
    #[test]
    fn o_022_to_o_026_digits_have_one_meaning(world in world(), number in near(1, 8)) {
        let directory = directory_of(&world);
        let (step, target) =
            ask(&directory, "9999", &number, &Wish::default());

        let code = world
            .codes
            .iter()
            .filter(|code| number.starts_with(code.as_str()))
            .filter(|code| number.len() - code.len() >= usize::from(world.least))
            .max_by_key(|code| code.len());
        if world.extensions.contains(&number) {
            prop_assert_eq!(step, Step::Internal);
        } else if let Some(code) = code {
            prop_assert_eq!(step, Step::Code);
            let Target::Outside(plan) = target else { panic!("{target:?}") };
            prop_assert_eq!(&plan.outgoing.code.unwrap().code, code);
            let sent = &plan.lines[0].number;
            prop_assert_eq!(format!("{code}{sent}"), number);
        } else if world.codes.contains(&number) {
            let Target::Barred(barred) = target else { panic!("{target:?}") };
            prop_assert_eq!(barred.rule, Rule::NumberMissing);
        } else {
            prop_assert_eq!(step, Step::Route);
        }
    }

    /// Routes lead to a bounded list of lines, each trunk once, and reading again says the same.
    #[test]
    fn route_selection_ends_and_repeats_itself(world in world(), number in digits(0, 20)) {
        let directory = directory_of(&world);
        let answer = ask(&directory, "9999", &number, &Wish::default());

        prop_assert_eq!(&answer, &ask(&directory, "9999", &number, &Wish::default()));
        if let Target::Outside(plan) = answer.1 {
            let mut trunks: Vec<&str> = plan.lines.iter().map(|line| &*line.trunk).collect();
            prop_assert!((1..=8).contains(&trunks.len()));
            trunks.sort_unstable();
            let all = trunks.len();
            trunks.dedup();
            prop_assert_eq!(trunks.len(), all);
        }
    }

    /// No code's digits reach a carrier, whether the code has a route or not (O-031, O-037).
    #[test]
    fn a_picked_codes_digits_are_never_sent(world in world(), number in digits(1, 12)) {
        let directory = directory_of(&world);
        for code in &world.codes {
            let answer =
                ask(&directory, "9999", &number, &picked(&format!("c{code}")));
            let (step, target) = answer;
            if step == Step::Emergency {
                prop_assert_eq!(&number, "911");
                continue;
            }
            let Target::Outside(plan) = target else { panic!("{target:?}") };
            prop_assert!(plan.lines.iter().all(|line| line.number == number));
        }
    }

    /// Nothing that can be dialled makes the reading panic.
    #[test]
    fn any_text_can_be_dialled(text in ".{0,40}") {
        let _answer = ask(&office(), "1000", &text, &Wish::default());
    }
}
