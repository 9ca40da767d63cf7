use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{Answered, Node};
use crate::passwords::{Cost, Passwords, nobody};

async fn user(node: &Node) {
    let body = json!({ "name": "alice", "password": "correct horse", "role": "manager" });
    assert_eq!(node.post("/api/v1/users", body).await.status, StatusCode::CREATED);
}

async fn sign_in(node: &Node, name: &str, password: &str) -> Answered {
    let body = Some(json!({ "name": name, "password": password }));
    node.ask(Method::POST, "/api/v1/session", &[("authorization", "")], body).await
}

async fn who(node: &Node, token: &str) -> Answered {
    let bearer = format!("Bearer {token}");
    node.ask(Method::GET, "/api/v1/session", &[("authorization", &bearer)], None).await
}

#[tokio::test]
async fn a_session_holds_from_sign_in_to_sign_out() {
    let node = Node::start().await;
    user(&node).await;
    let opened = sign_in(&node, "alice", "correct horse").await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
    let token = opened.json()["token"].as_str().unwrap().to_owned();

    let principal = who(&node, &token).await.json();
    assert_eq!(principal, json!({ "name": "user:alice", "role": "manager", "extension": null }));
    let bearer = format!("Bearer {token}");
    let auth = [("authorization", bearer.as_str())];
    let closed = node.ask(Method::DELETE, "/api/v1/session", &auth, None).await;
    assert_eq!(closed.status, StatusCode::NO_CONTENT);

    assert_eq!(who(&node, &token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_or_a_disabled_user_ends_the_sessions() {
    let node = Node::start().await;
    user(&node).await;
    for patch in [json!({ "password": "correct horse" }), json!({ "disabled": true })] {
        let opened = sign_in(&node, "alice", "correct horse").await;
        let token = opened.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(who(&node, &token).await.status, StatusCode::OK);

        let path = "/api/v1/users/alice";
        let done = node.ask(Method::PATCH, path, &[("if-match", "*")], Some(patch)).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);

        assert_eq!(who(&node, &token).await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = sign_in(&node, "alice", "correct horse").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike_and_slowed_down() {
    let node = Node::start().await;
    user(&node).await;
    for name in ["alice", "nobody"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            let answered = sign_in(&node, name, "wrong password").await;
            answers.push((answered.status.as_u16(), answered.code()));
        }
        let wrong = (401, "wrong-password".to_owned());
        assert_eq!(answers[..5], [(); 5].map(|()| wrong.clone()), "{name}");
        assert_eq!(answers[5], (429, "too-many-requests".to_owned()), "{name}");
    }
    // The right password has to wait as well.
    let right = sign_in(&node, "alice", "correct horse").await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!right.header("retry-after").is_empty());
}

/// Else how long an answer takes would tell which names there are.
#[test]
fn for_an_unknown_name_a_hash_of_the_same_cost_is_computed() {
    let cost = Cost { memory_kib: 64, passes: 2 };
    let parts = |hash: &str| -> Vec<(usize, String)> {
        hash.split('$').map(|part| (part.len(), part.to_owned())).collect()
    };
    let real = parts(&Passwords::new(cost).unwrap().hash_here("correct horse").unwrap());
    let unknown = nobody(cost);
    let of_unknown = parts(&unknown);
    assert_eq!(of_unknown[..4], real[..4], "algorithm, version and cost");
    let lengths = |parts: &[(usize, String)]| parts.iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(lengths(&of_unknown), lengths(&real));

    let hash = PasswordHash::new(&unknown).unwrap();
    let verified = Argon2::default().verify_password(b"correct horse", &hash);
    // Not 'malformed', which would be said at once.
    assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
}

#[tokio::test]
async fn a_restart_of_the_node_signs_nobody_out() {
    let node = Node::start().await;
    user(&node).await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let opened = sign_in(&node, "alice", "correct horse").await;
        tokens.push(opened.json()["token"].as_str().unwrap().to_owned());
    }
    let bearer = format!("Bearer {}", tokens[0]);
    let auth = [("authorization", bearer.as_str())];
    node.ask(Method::DELETE, "/api/v1/session", &auth, None).await;

    let node = node.restarted().await;

    assert_eq!(who(&node, &tokens[0]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(who(&node, &tokens[1]).await.json()["name"], "user:alice");
}
