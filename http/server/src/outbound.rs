//! Outbound codes at work: those that an extension may use, how digits would be read, what was
//! used.

use axum::http::{Method, header};
use serde_json::{Value, json};
use tandem_actors::numbering::{Step, Target};
use tandem_actors::office::{CodeView, Reading};
use tandem_actors::outbound::Wish;
use tandem_api::outbound as api;
use tandem_api::resource;
use tandem_config::{Kind, Resource};

use crate::convert;
use crate::operation::{Call, Operation, Parameter, Reply, Shape, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

const EXTENSION: &[Parameter] =
    &[Parameter { name: "extension", what: "Only those that this extension may use." }];
const SPAN: &[Parameter] = &[
    Parameter { name: "since", what: "Calls begun at or after this moment (RFC 3339)." },
    Parameter { name: "until", what: "Calls begun before this moment (RFC 3339)." },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let bound = call.bound_to()?;
    let asked = call.query("extension");
    if bound.is_some() && asked.is_some() && bound != asked {
        return Err(Problem::new(Code::Forbidden, "agents see the codes of the own extension"));
    }
    let directory = call.edge.office.provisioning().directory();
    let shown = |view: CodeView| {
        let belongs = |number: &String| *number == view.caller_id;
        let category = directory.channel_category(&view.code.category);
        let leads_back = category.is_some_and(|category| category.numbers.iter().any(belongs));
        let trunk = |(name, is_up, calls): (String, bool, u32)| api::CodeTrunk {
            name,
            state: match (is_up, calls) {
                (false, _) => "down".into(),
                (true, 0) => "up".into(),
                (true, _) => "in_use".into(),
            },
        };
        api::UsableCode {
            id: view.code.id,
            name: view.code.name,
            code: view.code.code,
            description: view.code.description,
            category: view.code.category,
            state: view.state.as_str().to_owned(),
            caller_id: view.caller_id,
            leads_back,
            trunks: view.trunks.into_iter().map(trunk).collect(),
        }
    };
    let codes = call.edge.office.outbound_codes(bound.or(asked)).into_iter().map(shown).collect();
    Ok(Reply::ok(convert::value(&api::UsableCodes { codes })?))
}

async fn resolve(mut call: Call) -> Result<Reply, Problem> {
    let api::Resolve { extension, dialled, code_id, is_typed, caller_id } = call.read()?;
    if call.bound_to()?.is_some_and(|own| own != extension) {
        return Err(Problem::new(Code::Forbidden, "agents dial at the own extension only"));
    }
    let wish = Wish { code: code_id, is_typed, caller_id, inherited: None };
    let reading = call.edge.office.read_digits(&extension, &dialled, &wish)?;
    Ok(Reply::ok(convert::value(&resolved(reading))?))
}

fn resolved(reading: Reading) -> api::Resolved {
    let step = match reading.step {
        Step::Emergency => "emergency",
        Step::Feature => "feature",
        Step::Internal => "internal",
        Step::Code => "code",
        Step::Route => "route",
        Step::Nothing => "nothing",
    };
    let empty = |target: &str, number: Option<String>| api::Resolved {
        step: step.to_owned(),
        target: target.to_owned(),
        number,
        code_id: None,
        code_applied: false,
        category: None,
        route: None,
        lines: Vec::new(),
        refusal: None,
        why: None,
    };
    match reading.target {
        Target::Extension(number) => empty("extension", Some(number)),
        Target::Queue(number) => empty("queue", Some(number)),
        Target::Prompt(name, _) => empty("prompt", Some(name)),
        Target::RingGroup(number) => empty("ring_group", Some(number)),
        Target::Ivr(number) => empty("ivr", Some(number)),
        Target::CallFlow(number) => empty("call_flow", Some(number)),
        Target::Leave(mailbox) | Target::Listen(mailbox) => empty("voicemail", Some(mailbox)),
        Target::Slot(slot) => empty("slot", Some(slot.to_string())),
        Target::Test(_) => empty("test", None),
        Target::Code(code) => empty("feature", Some(code)),
        Target::Refused(status, why) => api::Resolved {
            refusal: Some(status.to_string()),
            why: Some(why),
            ..empty("refused", None)
        },
        Target::Barred(barred) => api::Resolved {
            refusal: Some(barred.rule.as_str().to_owned()),
            why: Some(barred.why),
            ..empty("refused", None)
        },
        Target::Outside(plan) => api::Resolved {
            code_id: plan.outgoing.code.map(|code| code.id),
            code_applied: plan.outgoing.is_code_applied,
            category: plan.outgoing.category,
            route: Some(plan.outgoing.route).filter(|route| !route.is_empty()),
            lines: plan
                .lines
                .into_iter()
                .map(|line| api::PlannedLine {
                    trunk: line.trunk,
                    number: line.number,
                    caller_id: line.caller_id,
                })
                .collect(),
            ..empty("outside", Some(plan.outgoing.number))
        },
    }
}

/// The part of a code that needs no technician (O-008).
async fn describe(mut call: Call) -> Result<Reply, Problem> {
    let api::CodeDescription { name, description, category } = call.read()?;
    let id = call.path("id").to_owned();
    let provisioning = call.edge.office.provisioning();
    let missing = || Problem::not_found(Kind::OutboundCode.as_str(), &id);
    let directory = provisioning.directory();
    let stored = directory.find(Kind::OutboundCode, &id).ok_or_else(missing)?;
    let Resource::OutboundCode(before) = &stored.resource else { return Err(missing()) };
    let mut code = before.clone();
    (code.name, code.description, code.category) = (name, description, category);
    let by = call.caller()?.principal.clone();
    let expected = Some(stored.revision);
    let stored = provisioning.replace(&by, expected, Resource::OutboundCode(code)).await?;
    let body = crate::resources::form::outward(&stored.resource)?;
    Ok(Reply::ok(body).with(header::ETAG, &format!("\"{}\"", stored.revision)))
}

async fn usage(call: Call) -> Result<Reply, Problem> {
    let filter = tandem_actors::office::RecordFilter {
        since: crate::records::moment(&call, "since")?,
        until: crate::records::moment(&call, "until")?,
        ..Default::default()
    };
    let found = call.edge.office.outbound_usage(&filter).await;
    let codes = found.into_iter().map(|(id, usage)| api::CodeUsage {
        id,
        name: usage.name,
        code: usage.code,
        attempts: usage.attempts,
        answered: usage.answered,
        talk_secs: convert::secs(usage.talk),
        cost: usage.cost,
        failures: usage.failures,
        unrouted: usage.unrouted,
    });
    Ok(Reply::ok(convert::value(&api::CodeUsages { codes: codes.collect() })?))
}

fn codes_example() -> Value {
    json!({ "codes": [{
        "id": "sales", "name": "Sales line", "code": "82", "description": "",
        "category": "sales", "state": "ready", "caller_id": "0225550102", "leads_back": true,
        "trunks": [{ "name": "carrier", "state": "in_use" }],
    }] })
}

fn resolved_example() -> Value {
    json!({
        "step": "code", "target": "outside", "number": "886912000111", "code_id": "sales",
        "code_applied": true, "category": "sales", "route": "national",
        "lines": [{
            "trunk": "carrier", "number": "0912000111", "caller_id": "0225550102",
        }],
        "refusal": null, "why": null,
    })
}

fn usage_example() -> Value {
    json!({ "codes": [{
        "id": "sales", "name": "Sales line", "code": "82", "attempts": 12, "answered": 9,
        "talk_secs": 1260.5, "cost": 30000, "failures": { "busy": 2, "no_answer": 1 },
        "unrouted": 0,
    }] })
}

/// The operations of this module.
pub(crate) fn operations() -> Vec<Operation> {
    let code = json!({
        "id": "sales", "name": "Sales line", "code": "82", "description": "New customers",
        "category": "sales", "caller_id": "0225550102", "extensions": [], "queues": [],
        "prefix_confirmed": false, "enabled": true,
    });
    let wish = json!({ "extension": "1000", "dialled": "820912000111" });
    let words =
        json!({ "name": "Sales line", "description": "New customers", "category": "sales" });
    let codes = "/api/v1/outbound/codes";
    let describing = "/api/v1/outbound-codes/{id}/description";
    vec![
        Operation::new("listUsableCodes", Method::GET, codes, LISTS, handler!(list))
            .needs(Permission::CallsOriginate)
            .query(EXTENSION)
            .ok(Shape::of::<api::UsableCodes>(codes_example())),
        Operation::new("resolveDigits", Method::POST, RESOLVE, READS, handler!(resolve))
            .needs(Permission::CallsOriginate)
            .body(Shape::of::<api::Resolve>(wish))
            .ok(Shape::of::<api::Resolved>(resolved_example())),
        Operation::new("describeOutboundCode", Method::PUT, describing, SAYS, handler!(describe))
            .needs(Permission::CodesDescribe)
            .body(Shape::of::<api::CodeDescription>(words))
            .ok(Shape::of::<resource::OutboundCode>(code)),
        Operation::new("showCodeUsage", Method::GET, USAGE, COUNTS, handler!(usage))
            .needs(Permission::CodesDescribe)
            .query(SPAN)
            .ok(Shape::of::<api::CodeUsages>(usage_example())),
    ]
    .into_iter()
    .map(|operation| operation.tag("calls"))
    .collect()
}

const RESOLVE: &str = "/api/v1/outbound/resolve";
const USAGE: &str = "/api/v1/outbound/usage";
const LISTS: &str = "List the outbound codes with their state and the caller ID that they show";
const READS: &str = "Say how digits would be read; nothing is dialled";
const SAYS: &str = "Name and describe an outbound code and put it into a category";
const COUNTS: &str = "Count what each outbound code was used for";
