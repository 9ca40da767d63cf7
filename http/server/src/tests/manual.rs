use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::http::StatusCode;
use tandem_api::pages;

use super::Node;
use crate::manual;
use crate::problem::Code;

fn links(page: &str) -> BTreeSet<String> {
    let quoted = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    quoted.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_link_of_the_manual_leads_somewhere_on_the_node() {
    let node = Node::start().await;
    let (mut waiting, mut seen) = (vec!["/manual".to_owned()], BTreeSet::new());
    while let Some(link) = waiting.pop() {
        if !seen.insert(link.clone()) {
            continue;
        }
        assert!(link.starts_with('/'), "{link} leads to another site");
        let page = node.get(&link).await;
        assert_eq!(page.status, StatusCode::OK, "{link}");
        if link.starts_with("/manual") {
            assert!(page.header("content-type").starts_with("text/html"), "{link}");
            waiting.extend(links(&page.text));
        }
    }
    let pictures = manual::PAGES.iter().flat_map(|(_, text)| text.split("](/manual/pictures/"));
    let names = pictures.filter_map(|rest| rest.split_once(')')).map(|(name, _)| name);
    for name in names.filter(|name| name.ends_with(".webp")) {
        let picture = node.get(&format!("/manual/pictures/{name}")).await;
        assert_eq!(picture.status, StatusCode::OK, "{name}");
        assert_eq!(picture.header("content-type"), "image/webp", "{name}");
    }
    for (name, _) in manual::PAGES.iter().filter(|(name, _)| *name != "index") {
        assert!(seen.contains(&format!("/manual/{name}")), "nothing leads to {name}");
    }
    assert!(seen.len() > pages::PAGES.len());
    assert_eq!(node.get("/manual/nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(node.get("/manual/problems/nothing").await.status, StatusCode::NOT_FOUND);
}

#[test]
fn no_code_has_two_pages() {
    let codes: BTreeSet<&str> = pages::PAGES.iter().map(|page| page.code).collect();
    assert_eq!(codes.len(), pages::PAGES.len());
}

/// The codes of refusals in the actors' sources: `code: "…"` of a conflict and the arms that
/// name one, `Refused::…  => "…"`.
fn codes_of_the_actors(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_of_the_actors(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for rest in text.split("Conflict { code: \"").skip(1) {
                found.extend(rest.split('"').next().map(str::to_owned));
            }
            for rest in text.split("Refused::").skip(1) {
                let arm = rest.split_once(" => \"").filter(|(name, _)| name.len() < 24);
                let code = arm.and_then(|(_, code)| code.split('"').next());
                found.extend(code.map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_code_that_the_server_can_answer_has_its_page() {
    let mut codes: BTreeSet<String> =
        Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../actors/src");
    codes_of_the_actors(&actors, &mut codes);
    for known in ["call-ended", "agent-not-dynamic", "in-use", "extension-not-registered"] {
        assert!(codes.contains(known), "{known} was not found");
    }
    for code in codes {
        assert!(pages::of(&code).is_some(), "{code} has no page in tandem_api::pages");
    }
}
