//! Each way in which a callback comes to nothing, brought about with real telephones, and the
//! reason that is told.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::api::items;
use tandem_tests::ports::free_port;
use tandem_tests::{Office, Phone};
use tokio::time::sleep;

use crate::callback::{CALLBACKS, CUSTOMER, MOMENT, asks, by_key, office, press, request};
use crate::set;

const LOG: &str = "/api/v1/queue-log?kind=missed";
const CARRIER: &str = "/api/v1/trunks/carrier";
const ROUTE: &str = "/api/v1/outbound-routes/out";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    /// The customer's phone refuses with a status.
    CustomerRefuses(u16),
    /// Nothing is where the trunk leads.
    TrunkIsUnreachable,
    /// The agent may not use the route.
    RouteIsForbidden,
    /// The prefix leads to no route.
    PrefixLeadsNowhere,
    AgentDeclines,
    /// The agent hangs up while the customer's phone rings.
    AgentHangsUp,
    NobodyIsFree,
    /// Agents ring and do not answer until the time is over.
    NobodyAnswers,
    TakenBack,
    /// Another caller asks for the same number.
    AskedForAgain,
    QueueIsRemoved,
}

use Wrong::*;

/// The rows of the customer's side: the agent has answered.
const AT_THE_CUSTOMER: [(Wrong, &str); 5] = [
    (CustomerRefuses(486), "customer_no_answer"),
    (CustomerRefuses(603), "customer_no_answer"),
    (RouteIsForbidden, "customer_no_answer"),
    (PrefixLeadsNowhere, "invalid_number"),
    (TrunkIsUnreachable, "customer_no_answer"),
];

/// The rows of the agent's side.
const AT_THE_AGENT: [(Wrong, &str); 4] = [
    (AgentDeclines, "agent_hung_up"),
    (AgentHangsUp, "agent_hung_up"),
    (NobodyIsFree, "no_idle_agent"),
    (NobodyAnswers, "no_idle_agent"),
];

/// The rows of the queue's side.
const AT_THE_QUEUE: [(Wrong, &str); 3] =
    [(TakenBack, "cancelled"), (AskedForAgain, "replaced"), (QueueIsRemoved, "queue_removed")];

/// An office whose agent has a phone and is paused, and a customer.
struct House {
    office: Office,
    customer: Phone,
    agent: Phone,
}

impl House {
    async fn open() -> Self {
        let (office, customer) = office(by_key()).await;
        let options = json!({ "ring_timeout_secs": 2, "retry_interval_secs": 1 });
        set(&office, json!({ "agent": options })).await;
        let agent = office.phone("1001", 1_100, Value::Null).await;
        let house = Self { office, customer, agent };
        house.pause("pause").await;
        house
    }

    async fn pause(&self, verb: &str) {
        let path = format!("/api/v1/agents/1001/{verb}");
        self.office.api.post(&path, json!({ "queue": "6400" })).await;
    }

    /// The reason of the newest callback that failed, when there are so many.
    async fn reason(&self, count: usize) -> Value {
        for _ in 0..600 {
            let log = items(&self.office.api.get(LOG).await);
            if log.len() >= count {
                return log[0]["callback_failure"].clone();
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("the callback never failed: {}", self.office.api.get(LOG).await);
    }

    /// The agent answers, if it comes to that.
    async fn agent_answers(&mut self) {
        self.pause("resume").await;
        self.agent.expect("incoming").await;
        self.agent.answer().await;
    }

    /// What must be so before the customer asks.
    async fn prepare(&self, wrong: Wrong) {
        let api = &self.office.api;
        let callback = |patch: Value| set(&self.office, json!({ "callback": patch }));
        match wrong {
            RouteIsForbidden => drop(api.patch(ROUTE, json!({ "extensions": ["1002"] })).await),
            PrefixLeadsNowhere => callback(json!({ "outbound_prefix": "77" })).await,
            TrunkIsUnreachable => {
                let port = free_port("127.0.0.2");
                api.patch(CARRIER, json!({ "port": port })).await;
            }
            NobodyIsFree => callback(json!({ "timeout_secs": 15 })).await,
            NobodyAnswers => callback(json!({ "timeout_secs": 20 })).await,
            _ => {}
        }
    }

    async fn provoke(&mut self, wrong: Wrong) {
        match wrong {
            CustomerRefuses(status) => {
                self.agent_answers().await;
                self.customer.expect("incoming").await;
                self.customer.tell(json!({ "do": "hangup", "status": status })).await;
            }
            TrunkIsUnreachable | RouteIsForbidden | PrefixLeadsNowhere => {
                self.agent_answers().await;
            }
            AgentDeclines => {
                self.pause("resume").await;
                self.agent.expect("incoming").await;
                self.agent.tell(json!({ "do": "hangup", "status": 603 })).await;
            }
            AgentHangsUp => {
                self.agent_answers().await;
                self.customer.expect("incoming").await;
                self.agent.hang_up().await;
                self.customer.expect_end().await;
            }
            NobodyIsFree => {}
            NobodyAnswers => {
                self.pause("resume").await;
                self.agent.expect("incoming").await;
            }
            TakenBack => self.take_back().await,
            AskedForAgain => {
                let mut other = self.office.phone("1000", 500, Value::Null).await;
                other.call("6400").await;
                other.expect_state("CONFIRMED").await;
                sleep(Duration::from_secs(1)).await;
                press(&mut other, &format!("52{CUSTOMER}#1"), "rfc4733").await;
                other.expect_end().await;
            }
            QueueIsRemoved => {
                self.office.api.remove("/api/v1/inbound-routes/queue").await;
                self.office.api.remove("/api/v1/queues/6400").await;
            }
        }
    }

    async fn take_back(&self) {
        let call = request(&self.office).await["call"].as_str().unwrap().to_owned();
        let path = format!("{CALLBACKS}/{call}");
        let answer = self.office.api.send(Method::DELETE, &path, &Value::Null).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Makes the house ready for the next row.
    async fn tidy(&mut self, wrong: Wrong) {
        match wrong {
            QueueIsRemoved => return,
            AskedForAgain => self.take_back().await,
            CustomerRefuses(_) | TrunkIsUnreachable | RouteIsForbidden | PrefixLeadsNowhere => {
                // The agent hears that it came to nothing.
                self.agent.hang_up().await;
            }
            AgentDeclines | AgentHangsUp | NobodyIsFree | NobodyAnswers | TakenBack => {}
        }
        let callback = json!({ "outbound_prefix": "9", "timeout_secs": 0 });
        set(&self.office, json!({ "callback": callback })).await;
        self.office.api.patch(ROUTE, json!({ "extensions": [] })).await;
        self.pause("pause").await;
        self.office.quiet().await;
        self.agent.forget();
        self.customer.forget();
    }
}

async fn play(table: &[(Wrong, &str)]) {
    let mut house = House::open().await;
    let mut count = 0;
    for (wrong, wanted) in table {
        house.prepare(*wrong).await;
        asks(&mut house.customer, "51", "rfc4733").await;
        house.provoke(*wrong).await;
        count += 1;
        assert_eq!(house.reason(count).await, *wanted, "{wrong:?}");
        // closed, and not tried again.
        assert!(!house.customer.sees("incoming", MOMENT).await, "{wrong:?}");
        if *wrong != AskedForAgain && *wrong != QueueIsRemoved {
            assert!(items(&house.office.api.get(CALLBACKS).await).is_empty(), "{wrong:?}");
        }
        house.tidy(*wrong).await;
        // The later request of the same number was taken back.
        count += usize::from(*wrong == AskedForAgain);
    }
}

#[tokio::test]
async fn q_153_q_154_q_155_what_goes_wrong_at_the_customer_is_told_by_its_reason() {
    play(&AT_THE_CUSTOMER).await;
}

#[tokio::test]
async fn q_154_q_155_what_goes_wrong_at_the_agent_is_told_by_its_reason() {
    play(&AT_THE_AGENT).await;
}

#[tokio::test]
async fn q_154_q_155_what_goes_wrong_at_the_queue_is_told_by_its_reason() {
    play(&AT_THE_QUEUE).await;
}
