use axum::http::{Method, StatusCode};
use serde_json::Value;
use tandem_config::resource::Role;

use super::Node;
use crate::operation::{Answer, Operation};
use crate::rights::{Permission, Scope, authorize};
use crate::table;

fn path_of(operation: &Operation) -> String {
    let call = "019b2f6e-8f6a-7c3a-9d50-2f6f0e6f7a10";
    let path = operation.path.replace("{id}", call).replace("{extension}", "1001");
    path.replace("{number}", "6400").replace("{name}", "nobody")
}

async fn statuses(node: &Node, token: &str) -> Vec<(&'static Operation, StatusCode)> {
    let bearer = format!("Bearer {token}");
    let mut statuses = Vec::new();
    for operation in table::operations() {
        // An open stream has no end to wait for.
        if matches!(operation.answer, Answer::EventStream) {
            continue;
        }
        let headers = [("authorization", bearer.as_str())];
        let body = operation.body.as_ref().map(|_| Value::Object(serde_json::Map::new()));
        let path = path_of(operation);
        let answered = node.ask(operation.method.clone(), &path, &headers, body).await;
        statuses.push((operation, answered.status));
    }
    statuses
}

#[tokio::test]
async fn each_role_reaches_what_its_permissions_allow_and_nothing_else() {
    let node = Node::start().await;
    node.extension("1001").await;
    for role in [Role::Admin, Role::Manager, Role::Agent, Role::Wallboard] {
        let token = node.token(role, Some("1001")).await;
        for (operation, status) in statuses(&node, &token).await {
            let Some(permission) = operation.permission else { continue };
            let refused = status == StatusCode::FORBIDDEN;
            let allowed = authorize(role, permission) != Scope::Nothing;
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{role:?} {}", operation.id);
            // The empty body of an originate is no call of the own extension, and is refused
            // before that as not valid.
            assert_eq!(refused, !allowed, "{role:?} {} {status}", operation.id);
        }
    }
}

#[tokio::test]
async fn without_a_token_only_the_public_operations_answer() {
    let node = Node::start().await;
    for (operation, status) in statuses(&node, "tandem_0_0").await {
        let refused = status == StatusCode::UNAUTHORIZED;
        assert_eq!(refused, operation.permission.is_some(), "{} {status}", operation.id);
    }
}

#[test]
fn the_roles_are_as_this_table_says() {
    use Permission as P;
    use Scope::{All, Nothing, Own};
    // What, and how far a manager, an agent and a wall screen may go with it; an administrator
    // may do it all.
    let rows = [
        (P::ConfigRead, All, Nothing, Nothing),
        (P::ConfigWrite, Nothing, Nothing, Nothing),
        (P::AccountsRead, Nothing, Nothing, Nothing),
        (P::AccountsWrite, Nothing, Nothing, Nothing),
        (P::AuditRead, Nothing, Nothing, Nothing),
        (P::BackupRead, Nothing, Nothing, Nothing),
        (P::CodesDescribe, All, Nothing, Nothing),
        (P::CallsRead, All, Own, Nothing),
        (P::CallsOriginate, All, Own, Nothing),
        (P::CallsControl, All, Own, Nothing),
        (P::CallsMonitor, All, Nothing, Nothing),
        (P::CallsTrace, All, Nothing, Nothing),
        (P::AgentsRead, All, Own, All),
        (P::AgentsControl, All, Own, Nothing),
        (P::QueuesRead, All, Own, All),
        (P::QueuesControl, All, Nothing, Nothing),
        (P::QueueLogRead, All, Own, Nothing),
        (P::QueueLogWrite, All, Own, Nothing),
        (P::RecordsRead, All, Own, Nothing),
        (P::NotesRead, All, Own, Nothing),
        (P::NotesWrite, All, Own, Nothing),
        (P::WallboardsRead, All, Nothing, All),
        (P::WallboardsWrite, All, Nothing, Nothing),
        (P::ContactsRead, All, All, Nothing),
        (P::ContactsWrite, All, Nothing, Nothing),
        (P::VoicemailRead, Own, Own, Nothing),
        (P::VoicemailWrite, Own, Own, Nothing),
        (P::EventsRead, All, Own, Own),
        (P::MetricsRead, All, Nothing, Nothing),
        (P::Session, All, All, All),
    ];
    for (permission, manager, agent, wall) in rows {
        assert_eq!(authorize(Role::Admin, permission), All, "{permission:?}");
        assert_eq!(authorize(Role::Manager, permission), manager, "{permission:?}");
        assert_eq!(authorize(Role::Agent, permission), agent, "{permission:?}");
        assert_eq!(authorize(Role::Wallboard, permission), wall, "{permission:?}");
    }
    for operation in table::operations() {
        let Some(needed) = operation.permission else { continue };
        assert!(rows.iter().any(|(it, ..)| *it == needed), "{} has no row", operation.id);
    }
}

#[tokio::test]
async fn an_agent_acts_for_the_own_extension_only() {
    let node = Node::start().await;
    node.extension("1001").await;
    node.extension("1002").await;
    let token = node.token(Role::Agent, Some("1001")).await;
    let bearer = format!("Bearer {token}");
    let auth = [("authorization", bearer.as_str())];
    let call = |from: &str| Some(serde_json::json!({ "from": from, "to": "1000" }));

    // The telephony does not run here: what is allowed is answered with 503.
    let cases = [
        ("/api/v1/agents/1001/pause", None, StatusCode::SERVICE_UNAVAILABLE),
        ("/api/v1/agents/1002/pause", None, StatusCode::FORBIDDEN),
        ("/api/v1/calls", call("1001"), StatusCode::SERVICE_UNAVAILABLE),
        ("/api/v1/calls", call("1002"), StatusCode::FORBIDDEN),
    ];
    for (path, body, status) in cases {
        let answered = node.ask(Method::POST, path, &auth, body).await;
        assert_eq!(answered.status, status, "{path} {}", answered.text);
    }
    let others = "/api/v1/call-records?number=1002";
    let answered = node.ask(Method::GET, others, &auth, None).await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN);
}
