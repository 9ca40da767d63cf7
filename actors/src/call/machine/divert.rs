//! A queue that is closed at this time hands its callers on.

use tandem_config::resource::Diversion;
use tandem_kernel::Timestamp;

use super::Stage;
use super::effect::{Effect, Sound};
use super::facts::Facts;
use super::types::LegIndex;

impl Facts {
    /// The caller never enters the queue: the record has the reason, the queue's figures nothing
    ///
    pub(super) fn divert(
        &mut self,
        now: Timestamp,
        waiting: LegIndex,
        queue: &str,
        diversion: Diversion,
        out: &mut Vec<Effect>,
    ) -> Stage {
        let Diversion { destination, prompt, why } = diversion;
        self.note_step(now, "time_condition", queue, why, out);
        let Some(file) = prompt else { return self.send_on(waiting, destination, out) };
        self.answer(now, waiting, out);
        let player = self.let_hear(waiting, Sound::Prompt { file }, out);
        Stage::Diverting { leg: waiting, player, destination }
    }
}
