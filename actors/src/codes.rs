//! Queue feature codes dialled from a phone: what is done, and what is said.

use crate::exchange::Exchange;

/// Carries out a code for the extension that dialled it and names the prompt that
/// confirms it.
pub(crate) async fn carry_out(exchange: &Exchange, extension: &str, code: &str) -> &'static str {
    let settings = exchange.provisioning.directory().settings().clone();
    let Some(wish) = crate::agent::codes::parse(&settings, code) else { return "error" };
    exchange.placed.carry_out_code(extension, wish).await
}
