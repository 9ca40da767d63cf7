use std::collections::BTreeSet;

use crate::metric::{COUNTERS, GAUGES, HISTOGRAMS};

/// The dashboard that comes with the samples.
const DASHBOARD: &str = include_str!("../../../config/samples/grafana.json");

fn names_in(text: &str) -> BTreeSet<&str> {
    let is_end = |letter: char| !(letter.is_ascii_lowercase() || letter == '_');
    let parts = text.match_indices("tandem_").map(|(at, _)| &text[at..]);
    parts.map(|part| part.split(is_end).next().unwrap_or_default()).collect()
}

#[test]
fn the_dashboard_shows_only_metrics_that_exist() {
    let counters = COUNTERS.iter().map(|it| it.name);
    let gauges = GAUGES.iter().map(|it| it.name);
    let all: BTreeSet<&str> =
        counters.chain(gauges).chain(HISTOGRAMS.iter().map(|it| it.name)).collect();

    let shown = names_in(DASHBOARD);

    assert!(shown.len() > 10, "{shown:?}");
    assert_eq!(shown.difference(&all).collect::<Vec<_>>(), Vec::<&&str>::new());
}
