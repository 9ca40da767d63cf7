use serde_json::{Value, json};

use crate::cursor::{Page, open};

fn pages(limit: usize) -> Vec<Vec<u64>> {
    let mut page = Page { limit, after: None };
    let mut pages = Vec::new();
    loop {
        // As live things come: in no order.
        let items = ["c", "a", "e", "b", "d"].map(|key| (key.to_owned(), key.as_bytes()[0]));
        let cut = page.cut(items.to_vec());
        let values = cut.into_iter().map(|(key, value)| (key, json!(value))).collect();
        let body = page.body(values);
        let items = body["items"].as_array().into_iter().flatten();
        pages.push(items.filter_map(Value::as_u64).collect());
        let Some(next) = body["next_cursor"].as_str() else { return pages };
        page.after = Some(open(next).unwrap());
    }
}

#[test]
fn pages_of_live_things_follow_each_other_without_gap_or_double() {
    let all = || vec![97, 98, 99, 100, 101];
    assert_eq!(pages(usize::MAX), [all()]);
    assert_eq!(pages(5), [all()]);
    assert_eq!(pages(2), [vec![97, 98], vec![99, 100], vec![101]]);
}
