//! The dial-out API of the UC series with curl, as its documentation prints it.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Sipp};

/// MD5 of `password`.
const PASSWORD: &str = "5f4dcc3b5aa765d61d8327deb882cf99";

async fn office() -> Office {
    let account = format!(
        "compat.accounts=[{{ username = \"crm\", password_md5 = \"{PASSWORD}\" }}, \
         {{ username = \"few\", password_md5 = \"{PASSWORD}\", extensions = [\"1001\"] }}]"
    );
    Office::open_with(&["compat.enabled=true", &account]).await
}

/// curl with the method, headers and body of the documentation: head and body of the answer.
fn curl(office: &Office, path: &str, media_type: &str, body: &str) -> (String, String) {
    let address = &office.node.listening.http;
    let output = Command::new("curl")
        .args(["-s", "-i", "-X", "POST", "-H", &format!("Content-Type:{media_type}")])
        .args(["--data-binary", body, &format!("http://{address}{path}")])
        .output()
        .expect("curl runs");
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn json_of(office: &Office, path: &str, body: &Value) -> Value {
    let (_, answer) = curl(office, path, "application/json; charset=utf-8", &body.to_string());
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("no JSON: {answer}"))
}

fn log_in(office: &Office, username: &str) -> String {
    let wish = json!({ "username": username, "password": PASSWORD, "port": "8260" });
    let told = json_of(office, "/api/v0.0.1/login?type=json", &wish);
    assert_eq!(told["status"], "Success", "{told}");
    told["token"].as_str().unwrap().to_owned()
}

/// The documentation's route: prefix 16 to a trunk that receives what is behind it.
async fn route(office: &Office, port: u16, extensions: &[&str]) {
    office.trunk("to-18-16-2", "127.0.0.2", port).await;
    let route = json!({
        "name": "to-pbx", "trunks": ["to-18-16-2"], "extensions": extensions,
        "rules": [{ "prefix": "16", "pattern": "X." }],
    });
    office.api.post("/api/v1/outbound-routes", route).await;
    let phone = json!({ "number": "101", "password": "12345678" });
    office.api.post("/api/v1/extensions", phone).await;
}

async fn phone(office: &Office) -> tandem_tests::Phone {
    let options = json!({ "tone": 700, "auto_answer": true });
    let server = office.node.sip("udp");
    tandem_tests::Phone::registered(server, "101", "12345678", office.dir(), options).await
}

#[tokio::test]
async fn d_001_to_d_012_d_021_the_printed_requests_ring_the_phone_and_then_dial() {
    let office = office().await;
    let port = free_port("127.0.0.2");
    route(&office, port, &[]).await;
    let node = office.node.sip("udp").to_owned();
    let more = ["-m", "2"];
    let mut far =
        Sipp::start_at("trunk_answer", "127.0.0.2", port, &node, office.dir(), &more).await;
    let mut phone = phone(&office).await;
    let token = log_in(&office, "crm");

    let requests = [
        (
            "json",
            "application/json; charset=utf-8",
            "{\n\t\"extid\":\"101\",\n\t\"outto\":\"16103\",\n\t\"autoanswer\":\"no\"\n}",
            "{\n    \"status\": \"Success\"\n}",
        ),
        (
            "xml",
            "application/xml; charset=utf-8",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n\t<extid>101</extid>\n\
             \t<outto>16103</outto>\n\t<autoanswer>no</autoanswer>\n</xml>\n",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n    <status>Success</status>\n\
             </xml>",
        ),
    ];
    for (kind, media_type, body, printed) in requests {
        let path = format!("/api/v0.0.1/extension/dial_outbound?token={token}&type={kind}");
        let (head, answer) = curl(&office, &path, media_type, body);
        assert_eq!(answer.trim_end(), printed);
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains("access-control-allow-origin: *"), "{head}");
        let methods = "access-control-allow-methods: get, post, options, put, delete";
        assert!(head.contains(methods), "{head}");
        assert!(head.contains(&format!("content-type: {media_type}")), "{head}");
        phone.expect_state("CONFIRMED").await;
        office
            .api
            .wait_for("/api/v1/calls", |calls| {
                tandem_tests::api::items(calls).iter().any(|it| !it["answered_at"].is_null())
            })
            .await;
        let hang_up = format!("/api/v0.0.1/extension/hangup?token={token}&type=json");
        let done = json_of(&office, &hang_up, &json!({ "extid": "101" }));
        assert_eq!(done["status"], "Success", "{done}");
        phone.expect_end().await;
        office.quiet().await;
    }

    assert!(far.finish(Duration::from_secs(10)).await);
    // D-037: the prefix is gone.
    assert!(far.logged().iter().all(|line| line.contains("called sip:103@")));
    let record = office.api.record("direction=outbound").await;
    assert_eq!(record["requested_by"], "api:crm", "{record}");
}

#[tokio::test]
async fn d_056_every_failure_has_its_number() {
    let office = office().await;
    let port = free_port("127.0.0.2");
    route(&office, port, &["1001"]).await;
    let (token, few) = (log_in(&office, "crm"), log_in(&office, "few"));
    let dial = |token: &str| format!("/api/v0.0.1/extension/dial_outbound?token={token}");
    let errno = |path: &str, body: Value| {
        let told = json_of(&office, path, &body);
        assert_eq!(told["status"], "Failed", "{told}");
        told["errno"].as_str().unwrap().to_owned()
    };
    let wish = |extid: &str, outto: &str| json!({ "extid": extid, "outto": outto });

    let wrong = json!({ "username": "crm", "password": "0", "port": "1" });
    assert_eq!(errno("/api/v0.0.1/login?type=json", wrong), "30003");
    assert_eq!(errno(&dial("813b621cfe8eecf445a2ce1f4a079ffe"), wish("101", "16103")), "20004");
    assert_eq!(errno("/api/v0.0.1/extension/dial_outbound", wish("101", "16103")), "20005");
    assert_eq!(errno(&format!("{}&type=csv", dial(&token)), wish("101", "16103")), "10003");
    assert_eq!(errno(&dial(&token), wish("", "16103")), "10004");
    assert_eq!(errno(&dial(&token), wish("999", "16103")), "10006");
    assert_eq!(errno(&dial(&few), wish("101", "16103")), "10006");
    assert_eq!(errno(&dial(&token), wish("101", "")), "10028");
    // No permission, no route, an internal number.
    assert_eq!(errno(&dial(&token), wish("101", "16103")), "10024");
    assert_eq!(errno(&dial(&token), wish("101", "77777")), "10031");
    assert_eq!(errno(&dial(&token), wish("101", "1000")), "10031");
    // Allowed, but no phone is registered.
    assert_eq!(errno(&dial(&token), wish("1001", "16103")), "10008");
    // A dead route.
    office.api.patch("/api/v1/trunks/to-18-16-2", json!({ "enabled": false })).await;
    assert_eq!(errno(&dial(&token), wish("1001", "16103")), "10031");
    let (_, broken) = curl(&office, &dial(&token), "application/json", "{");
    assert!(broken.contains("20000"), "{broken}");
    let (_, broken) = curl(&office, &format!("{}&type=xml", dial(&token)), "text/xml", "<xml>");
    assert!(broken.contains("<errno>10002</errno>"), "{broken}");

    let out = json_of(&office, &format!("/api/v1.1.0/logout?token={token}"), &json!({}));
    assert_eq!(out["status"], "Success", "{out}");
    assert_eq!(errno(&dial(&token), wish("1001", "16103")), "20004");
}

#[tokio::test]
async fn d_059_of_several_requests_for_one_extension_one_succeeds() {
    let office = office().await;
    let port = free_port("127.0.0.2");
    route(&office, port, &[]).await;
    let node = office.node.sip("udp").to_owned();
    let more = ["-m", "1"];
    let _far = Sipp::start_at("trunk_answer", "127.0.0.2", port, &node, office.dir(), &more).await;
    let options = json!({ "tone": 700 });
    let server = office.node.sip("udp");
    let _phone =
        tandem_tests::Phone::registered(server, "101", "12345678", office.dir(), options).await;
    let token = log_in(&office, "crm");
    let url = format!(
        "http://{}/api/v0.0.1/extension/dial_outbound?token={token}",
        office.node.listening.http
    );

    let client = reqwest::Client::new();
    let asked = (0..8).map(|_| {
        let body = json!({ "extid": "101", "outto": "16103" }).to_string();
        let request = client.post(&url).body(body).send();
        async { request.await.unwrap().text().await.unwrap() }
    });
    let answers = futures::future::join_all(asked).await;

    let done = answers.iter().filter(|answer| answer.contains("Success")).count();
    let busy = answers.iter().filter(|answer| answer.contains("10008")).count();
    assert_eq!((done, busy), (1, 7), "{answers:?}");
}

#[tokio::test]
async fn d_050_a_browser_is_told_what_it_may_send_and_the_door_is_closed_by_default() {
    let office = office().await;
    let open = format!("http://{}/api/v0.0.1/login", office.node.listening.http);
    let asked = reqwest::Client::new().request(reqwest::Method::OPTIONS, &open).send().await;
    let answer = asked.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-headers"], "Content-Type, Authorization");
    assert_eq!(answer.headers()["access-control-max-age"], "600");

    let closed = Office::open().await;
    let address = format!("http://{}/api/v0.0.1/login", closed.node.listening.http);
    let answer = reqwest::Client::new().post(&address).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
