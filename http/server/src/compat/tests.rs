#![allow(clippy::unwrap_used)]
use std::net::IpAddr;
use std::time::Duration;

use tandem_kernel::Timestamp;

use super::Account;
use super::door::Door;
use super::errno::Errno;
use super::form::{Fields, Kind, Value, failed, read, success, text};

/// The sample of the documentation, byte for byte.
const JSON: &str = "{\n\t\"extid\":\"101\",\n\t\"outto\":\"16103\",\n\t\"autoanswer\":\"no\"\n}";
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n\t<extid>101</extid>\n\
                   \t<outto>16103</outto>\n\t<autoanswer>no</autoanswer>\n</xml>\n";

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn from() -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, 7]))
}

fn door() -> Door {
    Door::new(vec![Account {
        username: "crm".into(),
        password_md5: "5f4dcc3b5aa765d61d8327deb882cf99".into(),
        extensions: Vec::new(),
    }])
}

fn wish(password: &str) -> Fields {
    let body = format!(r#"{{"username":"crm","password":"{password}","port":"8260"}}"#);
    read(Kind::Json, body.as_bytes()).unwrap()
}

fn log_in(door: &Door, secs: u64) -> String {
    let told = door.log_in(at(secs), from(), &wish("5f4dcc3b5aa765d61d8327deb882cf99")).unwrap();
    match &told[0].1 {
        Value::Text(token) => token.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn d_007_d_008_the_printed_requests_are_read_in_both_forms() {
    for (kind, body) in [(Kind::Json, JSON), (Kind::Xml, XML)] {
        let fields = read(kind, body.as_bytes()).unwrap();
        let read = ["extid", "outto", "autoanswer"].map(|name| fields.text(name).unwrap());
        assert_eq!(read, ["101", "16103", "no"]);
    }
}

#[test]
fn d_010_d_011_d_053_d_054_the_answers_are_the_printed_ones() {
    assert_eq!(success(Kind::Json, Vec::new()), "{\n    \"status\": \"Success\"\n}");
    assert_eq!(
        success(Kind::Xml, Vec::new()),
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n    <status>Success</status>\n</xml>\n"
    );
    assert_eq!(
        failed(Kind::Json, Errno::LogInFailed),
        "{\n    \"status\": \"Failed\",\n    \"errno\": \"30003\"\n}"
    );
    assert_eq!(
        failed(Kind::Xml, Errno::LogInFailed),
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<xml>\n    <status>Failed</status>\n    \
         <errno>30003</errno>\n</xml>\n"
    );
}

#[test]
fn d_004_d_016_numbers_are_read_as_text_and_written_as_text() {
    let fields = read(Kind::Json, br#"{"extid": 101, "outto": " 007 "}"#).unwrap();

    assert_eq!(fields.text("extid"), Some("101"));
    assert_eq!(fields.text("outto"), Some("007"));
    let told = success(Kind::Json, vec![text("callercount", "0")]);
    assert!(told.contains("\"callercount\": \"0\""), "{told}");
}

#[test]
fn d_017_a_list_is_items_counted_from_nought() {
    let list = Value::List(vec![vec![text("extnumber", "1")], vec![text("extnumber", "<2>")]]);
    let fields = vec![("extlist".to_owned(), list)];

    let xml = success(Kind::Xml, fields.clone());
    let json: serde_json::Value = serde_json::from_str(&success(Kind::Json, fields)).unwrap();

    assert!(xml.contains("<item id=\"0\">\n            <extnumber>1</extnumber>"), "{xml}");
    assert!(xml.contains("<item id=\"1\">\n            <extnumber>&lt;2&gt;</extnumber>"), "{xml}");
    assert_eq!(json["extlist"][1]["extnumber"], "<2>");
}

#[test]
fn d_018_xml_that_is_more_than_elements_and_text_is_refused() {
    let refused = |body: &str| read(Kind::Xml, body.as_bytes()) == Err(Errno::NotXml);
    let deep = format!("<xml>{}{}</xml>", "<a>".repeat(8), "</a>".repeat(8));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><extid>&a;</extid></xml>";

    for body in [
        bomb,
        deep.as_str(),
        "<xml><extid>&a;</extid></xml>",
        "<xml><extid>1</extid>",
        "<xml></yml>",
        "<xml><a></b></a></xml>",
        "<other/>",
        "no xml",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><xml/>",
        "<xml/><xml/>",
    ] {
        assert!(refused(body), "{body}");
    }
    assert!(read(Kind::Xml, b"<xml><!-- c --><a>&lt;&amp;</a></xml>").is_ok());
}

#[test]
fn d_019_unknown_fields_are_passed_over_and_double_ones_are_malformed() {
    assert!(read(Kind::Json, br#"{"extid":"1","colour":"red"}"#).is_ok());
    assert_eq!(read(Kind::Json, br#"{"extid":"1","extid":"2"}"#), Err(Errno::NotJson));
    assert_eq!(read(Kind::Json, b"[1]"), Err(Errno::NotJson));
    let double = b"<xml><extid>1</extid><extid>2</extid></xml>";
    assert_eq!(read(Kind::Xml, double), Err(Errno::NotXml));
}

#[test]
fn d_040_d_049_a_log_in_gives_a_token_of_32_hex_digits() {
    let door = door();

    let token = log_in(&door, 0);

    assert_eq!(token.len(), 32);
    assert!(token.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    assert_eq!(door.account(at(1), &token).unwrap().username, "crm");
    assert_eq!(door.account(at(1), "813b621cfe8eecf445a2ce1f4a079ffe"), None);
}

#[test]
fn d_044_five_wrong_passwords_lock_the_address_for_ten_minutes() {
    let door = door();
    for secs in 0..5 {
        let refused = door.log_in(at(secs), from(), &wish("wrong"));
        assert_eq!(refused, Err(Errno::LogInFailed));
    }
    let right = wish("5f4dcc3b5aa765d61d8327deb882cf99");

    assert_eq!(door.log_in(at(5), from(), &right), Err(Errno::LockedOut));
    assert!(door.log_in(at(5), Some(IpAddr::from([192, 0, 2, 8])), &right).is_ok());
    assert!(door.log_in(at(4 + 600), from(), &right).is_ok());
}

#[test]
fn d_045_d_046_d_047_a_token_lives_half_an_hour_after_its_last_use_and_a_day_at_most() {
    let door = door();
    let (used, unused, ended) = (log_in(&door, 0), log_in(&door, 0), log_in(&door, 0));
    door.log_out(&ended);

    assert!(door.account(at(1_799), &used).is_some());
    assert!(door.account(at(1_801), &unused).is_none());
    assert!(door.account(at(1), &ended).is_none());
    for half_hours in 2..48 {
        assert!(door.account(at(half_hours * 1_790), &used).is_some(), "{half_hours}");
    }
    assert!(door.account(at(86_400), &used).is_none());
}

#[test]
fn d_048_an_account_has_ten_tokens_and_the_oldest_goes() {
    let door = door();
    let tokens: Vec<String> = (0..11).map(|secs| log_in(&door, secs)).collect();

    assert!(door.account(at(20), &tokens[0]).is_none());
    assert!(tokens[1..].iter().all(|token| door.account(at(20), token).is_some()));
}

#[test]
fn d_057_forty_requests_at_once_and_twenty_a_second() {
    let door = door();

    let taken = (0..60).filter(|_| door.take(at(0), "crm").is_ok()).count();

    assert_eq!(taken, 40);
    assert!(door.take(at(1), "crm").is_ok());
}

#[test]
fn d_058_an_answer_is_given_again_for_ten_minutes() {
    let door = door();
    let key = ("crm".to_owned(), "extension/dial_outbound k".to_owned());
    let hash = blake3::hash(b"body");

    door.remember(at(0), key.clone(), hash, "told".into());

    assert_eq!(door.repeated(at(599), &key), Some((hash, "told".into())));
    assert_eq!(door.repeated(at(0) + Duration::from_secs(600), &key), None);
}
