//! What comes from other members, at its actors.

use std::sync::Arc;

use tandem_kernel::CallId;
use tandem_telemetry::metric;

use super::Gateway;
use super::machine::speaker;
use super::words::{Answer, Denied, Question, Word};
use crate::call::CallMsg;
use crate::entity;
use crate::queue::{CallSink, QueueWord};
use crate::softphone::words::{EndedBy, FromPhone, Host, ToPhone};
use crate::softphone::{CallWay, Line};

impl Gateway {
    /// A word to one of our actors; an outdated owner's is dropped.
    pub(super) fn pass_on(&self, from: u64, word: Word) {
        let placed = &self.0.placed;
        if self.is_outdated(&word) {
            metric::GATEWAY_OUTDATED.increment();
            return;
        }
        match word {
            Word::ToQueue { ref word, .. } if !placed.is_heard(from, word) => {
                // It was cut off, or stopped, and has not read yet that it has lost the call.
                metric::GATEWAY_OUTDATED.increment();
            }
            Word::ToQueue { number, word, epoch: _ } => {
                let reply_to = match &word {
                    QueueWord::Join { call, stay, .. } => {
                        Some(self.way_from(from, *call, &number, Some(*stay)))
                    }
                    _ => None,
                };
                // One that was moved on meanwhile asks, where it is, when it has begun.
                let _told = placed.tell_own_queue(&number, word, reply_to);
            }
            Word::ToAgent { extension, queue, epoch: _, message } => {
                placed.tell_own_agent(&extension, queue, message);
            }
            Word::ToCall { call, queue, stay, epoch: _, notice } => {
                let told = self.0.live.actors().find(call).is_some_and(|actor| {
                    actor.cast(CallMsg::Queue { queue: queue.clone(), stay, notice }).is_ok()
                });
                if !told && placed.is_home(call) && !placed.may_come_back(call) {
                    let gone = QueueWord::CallerLeft { call, reason: crate::queue::Exit::System };
                    placed.tell_queue(&queue, gone, None);
                }
            }
            Word::InCall { extension, call } => placed.in_call_at(from, &extension, call),
            Word::OutOfCall { extension, call } => placed.out_of_call_at(from, &extension, call),
            Word::Browser { extension, there } => {
                if there {
                    self.0.phones.moved(&extension);
                }
                placed.browser_at(from, &extension, there);
            }
            Word::Floor(floor) => placed.floor_at(from, &floor),
            Word::ToPhone { extension, line, host, wish } => {
                self.to_phone(from, (extension, host), line, wish);
            }
            Word::Flow(word) => {
                if let Some(flows) = self.0.flows.get() {
                    flows.hear(from, word);
                }
            }
            Word::FromPhone { leg, line, said } => {
                if let Some(actor) = self.0.live.actors().find(leg.call) {
                    let _gone = actor.cast(CallMsg::Browser { leg: leg.index, line, said });
                }
            }
        }
    }

    /// Who rings at a phone that has just gone is told so; an answered leg looks for it.
    fn to_phone(&self, from: u64, (phone, host): (String, Host), line: Line, wish: ToPhone) {
        let call = CallWay::There(from, self.clone(), host);
        let rings = match &wish {
            ToPhone::Invite(invitation) => Some(invitation.id),
            _ => None,
        };
        if !self.0.phones.tell(&phone, line, call.clone(), wish)
            && let Some(leg) = rings
        {
            let said = FromPhone::Ended { by: EndedBy::Page, status: Some(480) };
            call.tell(leg, line, said);
        }
    }

    /// The calls of an extension whose browser came or went look for it.
    pub(crate) fn phone_at(&self, extension: &str, calls: impl IntoIterator<Item = CallId>) {
        for actor in calls.into_iter().filter_map(|call| self.0.live.actors().find(call)) {
            // One that has just ended needs no phone.
            let _gone = actor.cast(CallMsg::PhoneAt { extension: extension.to_owned() });
        }
    }

    fn is_outdated(&self, word: &Word) -> bool {
        let placement = self.0.placed.placement();
        speaker(word).is_some_and(|(kind, key, epoch)| placement.is_outdated(kind, key, epoch))
    }

    /// The way from a queue here to a call of another member.
    fn way_from(&self, member: u64, call: CallId, queue: &str, stay: Option<u32>) -> CallSink {
        let (gateway, queue) = (self.clone(), queue.to_owned());
        Arc::new(move |notice| {
            let owned = gateway.0.placed.placement().owned_since(entity::QUEUE, &queue);
            // Who may not speak is silent; the call is not gone for that.
            let Some(epoch) = owned else { return true };
            let queue = queue.clone();
            gateway.tell(member, Word::ToCall { call, queue, stay, epoch, notice });
            true
        })
    }

    /// The way from a queue that has begun here to a call of which it read: where the call
    /// began, or at who took it over.
    pub(crate) fn way_to(&self, own: u64, call: CallId, queue: &str) -> Option<CallSink> {
        let home = self.0.placed.home(call);
        if home != own {
            return Some(self.way_from(home, call, queue, None));
        }
        let (gateway, queue) = (self.clone(), queue.to_owned());
        let find = move || gateway.0.live.actors().find(call);
        let gateway = self.clone();
        let may_come_back = move || gateway.0.placed.may_come_back(call);
        if find().is_none() && !may_come_back() {
            return None;
        }
        Some(Arc::new(move |notice| {
            let Some(actor) = find() else { return may_come_back() };
            actor.cast(CallMsg::Queue { queue: queue.clone(), stay: None, notice }).is_ok()
        }))
    }

    /// What a member asks of our actors.
    pub(super) async fn answer(&self, question: Question) -> Answer {
        let placed = &self.0.placed;
        let (kind, key) = match &question {
            Question::Agents => return Answer::Agents(placed.own_agents().await),
            Question::Calls
            | Question::Call(_)
            | Question::Steer { .. }
            | Question::Trace(_)
            | Question::Dial(_)
            | Question::Piece { .. } => return self.answer_at_once(question).await,
            Question::Status { number }
            | Question::Callbacks { number }
            | Question::CancelCallback { number, .. }
            | Question::PickUp { number, .. } => (entity::QUEUE, number.clone()),
            Question::Command { extension, .. } | Question::Claim { extension, .. } => {
                (entity::AGENT, extension.clone())
            }
        };
        if placed.placement().owned_since(kind, &key).is_none() {
            return Answer::Nobody;
        }
        self.answer_here(question).await.unwrap_or(Answer::Unknown)
    }

    async fn answer_here(&self, question: Question) -> Option<Answer> {
        let placed = &self.0.placed;
        match question {
            Question::Status { number } => placed.own_status(&number).await.map(Answer::Status),
            Question::Callbacks { number } => {
                placed.own_callbacks(&number).await.map(Answer::Callbacks)
            }
            Question::CancelCallback { number, call } => {
                placed.cancel_own_callback(&number, call).await.map(Answer::Cancelled)
            }
            Question::PickUp { number, call, by } => {
                placed.pick_up_own(&number, call, by).await.map(Answer::PickedUp)
            }
            Question::Command { extension, command, source } => {
                placed.command_own(&extension, command, source).await.map(Answer::Commanded)
            }
            Question::Claim { extension, call } => {
                placed.claim_own(&extension, call).await.map(Answer::Claimed)
            }
            _ => None,
        }
    }

    /// What a member asks of our calls and files.
    async fn answer_at_once(&self, question: Question) -> Answer {
        let live = &self.0.live;
        match question {
            Question::Calls => Answer::Calls(live.views().await),
            Question::Call(id) => Answer::Calls(live.view(id).await.into_iter().collect()),
            Question::Steer { call, command } => {
                let Ok(command) = serde_json::from_str(&command) else {
                    let newer = "the call's member does not know the command".to_owned();
                    return Answer::Steered(Err(Denied::Unavailable(newer)));
                };
                Answer::Steered(live.command(call, command).await.map_err(Denied::from))
            }
            Question::Dial(dial) => {
                let Some(dials) = self.0.dials.get() else { return Answer::Unknown };
                Answer::Steered(dials(dial).await.map_err(Denied::from))
            }
            Question::Trace(id) => live.trace(id).await.map_or(Answer::Unknown, Answer::Trace),
            Question::Piece { name, from } => {
                self.0.copies.piece(&name, from).await.map_or(Answer::Unknown, Answer::Piece)
            }
            _ => Answer::Unknown,
        }
    }
}
