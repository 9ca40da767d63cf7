//! Which callers have left a queue of late, so that one who asks again, because the queue's word
//! was lost with its actor, does not leave twice (section 30.2). Pure.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tandem_kernel::CallId;

use super::Exit;

/// More than leave a busy queue in the minute in which calls ask again.
const MOST: usize = 128;

/// Those who were sent on, the last one last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left(VecDeque<(CallId, u32, Exit)>);

impl Left {
    /// A caller has left.
    pub(super) fn note(&mut self, call: CallId, exit: Exit) {
        // Who was answered, or lost, and asks again is to be served; who pressed a key or was
        // moved by a manager was sent to where the queue does not remember.
        let is_sent_on = matches!(
            exit,
            Exit::MaxWait
                | Exit::MaxCallers
                | Exit::JoinEmpty
                | Exit::LeaveEmpty
                | Exit::QueueRemoved
        );
        if !is_sent_on {
            return;
        }
        let known = self.0.iter().position(|(it, ..)| *it == call);
        let stays = known.and_then(|at| self.0.remove(at)).map_or(0, |(_, stays, _)| stays);
        self.0.push_back((call, stays + 1, exit));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// How a call has left that asks to be taken in for the so-manieth of its stays in queues.
    /// None: it has not, or nobody knows any more.
    #[must_use]
    pub fn by(&self, call: CallId, stay: u32) -> Option<Exit> {
        self.0.iter().find(|(it, stays, _)| *it == call && *stays >= stay).map(|it| it.2)
    }
}
