use axum::http::StatusCode;
use futures::StreamExt;
use serde_json::json;
use tandem_config::resource::Role;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Node;

#[tokio::test]
async fn the_panel_or_the_way_to_it_is_served_under_a_policy_that_lets_nothing_else_in() {
    let node = Node::start().await;

    let page = node.ask(axum::http::Method::GET, "/panel/", &[("authorization", "")], None).await;
    let door = node.get("/").await;
    let missing = node.get("/panel/assets/nothing.js").await;

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    assert!(page.text.contains("<title>Tandem</title>"), "{}", page.text);
    assert_eq!(door.header("location"), "/panel/");
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pause_reasons_are_known_to_agents_who_may_not_read_the_settings() {
    let node = Node::start().await;
    node.extension("1001").await;
    let agent = format!("Bearer {}", node.token(Role::Agent, Some("1001")).await);
    let as_agent = [("authorization", agent.as_str())];

    let get = axum::http::Method::GET;
    let reasons = node.ask(get.clone(), "/api/v1/pause-reasons", &as_agent, None).await;
    let settings = node.ask(get, "/api/v1/settings", &as_agent, None).await;

    assert_eq!(reasons.json()["*01"], "Lunch");
    assert_eq!(settings.status, StatusCode::FORBIDDEN);
}

/// Says a command on the phone of a principal, and what is heard then.
async fn phone(node: &Node, token: &str, said: &str) -> Result<Vec<serde_json::Value>, u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tandem_kernel::spawn("http", crate::serve(listener, node.edge.clone(), std::future::pending()));
    let mut request = format!("ws://{address}/api/v1/phone").into_client_request().unwrap();
    let offered = format!("tandem, bearer.{token}").parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offered);
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, answer) = match tokio_tungstenite::client_async(request, stream).await {
        Ok(opened) => opened,
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
            return Err(response.status().as_u16());
        }
        Err(error) => panic!("{error}"),
    };
    // The token is not said back.
    assert_eq!(answer.headers()["sec-websocket-protocol"], "tandem");
    futures::SinkExt::send(&mut socket, Message::text(said.to_owned())).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            heard.push(serde_json::from_str(&text).unwrap());
        }
    }
    Ok(heard)
}

#[tokio::test]
async fn the_phone_takes_a_bearer_beside_its_subprotocol_and_answers_each_command_once() {
    let node = Node::start().await;
    node.extension("1001").await;
    let agent = node.token(Role::Agent, Some("1001")).await;
    let said = json!({
        "type": "command", "id": 7, "command": { "name": "answer", "line": 1 },
    });

    let heard = phone(&node, &agent, &said.to_string()).await.unwrap();
    let nonsense = phone(&node, &agent, "{\"type\":\"sing\"}").await.unwrap();

    assert_eq!(heard[0], json!({ "type": "hello", "extension": "1001" }));
    assert_eq!(heard[1]["type"], "reply");
    assert_eq!(heard[1]["id"], 7);
    assert_eq!(heard[1]["problem"]["code"], "conflict");
    assert_eq!(nonsense[1]["type"], "problem");
    // An administrator without an extension has no phone; a stranger has nothing.
    assert_eq!(phone(&node, &node.admin, "").await, Err(403));
    assert_eq!(phone(&node, "nobody", "").await, Err(401));
}
