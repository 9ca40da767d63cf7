//! What somebody may do with a queue: by the role, and by what the queue grants to its managers
//! and its agents (section 18). It is read anew for each request, so that a change holds at once
//!

use tandem_actors::office::Principal;
use tandem_config::resource::{Grants, ManagerRight, Queue, Role};

use crate::operation::Call;
use crate::problem::Problem;

/// What a principal may do with a queue.
pub(crate) fn of(principal: &Principal, queue: &Queue) -> Grants {
    let extension = principal.extension.as_deref();
    let by_extension = extension.map(|own| queue.grants(own)).unwrap_or_default();
    match principal.role {
        Role::Admin => Grants::whole(),
        Role::Wallboard => Grants::default(),
        Role::Agent => by_extension,
        Role::Manager => {
            // Who manages by role and has no extension manages every queue; a queue that names
            // no managers is managed by all who manage.
            let manages = extension.is_none() || queue.managers.is_empty();
            let mut grants = by_extension;
            if manages {
                grants.rights.extend(&queue.permissions.manager.rights);
            }
            grants
        }
    }
}

/// Whether a principal may look at a queue as it is now: by its panel or by its wallboard.
pub(crate) fn sees(principal: &Principal, queue: &Queue) -> bool {
    let grants = of(principal, queue);
    principal.role == Role::Wallboard
        || grants.may(ManagerRight::Panel)
        || grants.may(ManagerRight::Wallboard)
}

/// What who asks may do with a queue; none: there is no such queue.
pub(crate) fn in_queue(call: &Call, number: &str) -> Result<Option<Grants>, Problem> {
    let principal = &call.caller()?.principal;
    let directory = call.edge.office.provisioning().directory();
    Ok(directory.queue(number).map(|queue| of(principal, queue)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;
    use tandem_config::resource::ManagerRight;

    use super::*;

    fn queue(managers: &[&str]) -> Queue {
        serde_json::from_value(json!({
            "number": "6400", "name": "Sales", "managers": managers,
            "members": [{ "extension": "1001", "membership": "static" }],
            "permissions": { "manager": { "rights": ["monitor"] }, "agent": { "rights": [] } },
        }))
        .unwrap()
    }

    #[test]
    fn q_280_q_286_q_288_a_queue_grants_its_rights_to_its_own_people_only() {
        use Role::{Admin, Agent, Manager, Wallboard};
        let rows = [
            // Role, extension, the queue's managers, monitors, sets others' states.
            (Admin, None, vec!["1003"], true, true),
            (Manager, None, vec!["1003"], true, false),
            (Manager, Some("1003"), vec!["1003"], true, false),
            (Manager, Some("1004"), vec!["1003"], false, false),
            (Manager, Some("1004"), vec![], true, false),
            (Agent, Some("1003"), vec!["1003"], true, false),
            (Agent, Some("1001"), vec!["1001"], true, false),
            (Agent, Some("1001"), vec![], false, false),
            (Agent, None, vec![], false, false),
            (Wallboard, Some("1003"), vec!["1003"], false, false),
        ];
        for (role, extension, managers, monitors, sets) in rows {
            let extension = extension.map(str::to_owned);
            let who = Principal { name: "test".into(), role, extension };
            let grants = of(&who, &queue(&managers));
            assert_eq!(grants.may(ManagerRight::Monitor), monitors, "{who:?} {managers:?}");
            assert_eq!(grants.may(ManagerRight::AgentState), sets, "{who:?} {managers:?}");
        }
    }
}
