//! A question to an actor, never without a deadline: an actor may drop the reply port or die.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, RpcReplyPort};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The actor has stopped.
    #[error("the actor is gone")]
    Gone,
    /// The actor did not answer in time; it may still do what it was asked.
    #[error("no answer in time")]
    Timeout,
    /// The actor dropped the question.
    #[error("the question was dropped")]
    Dropped,
}

/// Asks and waits for the answer, for at most `deadline`.
///
/// # Errors
///
/// When no answer came.
pub async fn ask<M, R>(
    actor: &ActorRef<M>,
    deadline: Duration,
    question: impl FnOnce(RpcReplyPort<R>) -> M,
) -> Result<R, AskError>
where
    M: Message,
    R: Send + 'static,
{
    match actor.call(question, Some(deadline)).await {
        Ok(CallResult::Success(answer)) => Ok(answer),
        Ok(CallResult::Timeout) => Err(AskError::Timeout),
        Ok(CallResult::SenderError) => Err(AskError::Dropped),
        Err(_) => Err(AskError::Gone),
    }
}
