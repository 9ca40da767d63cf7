//! The one table of operations. Router, rights and document are made from it, so that they can
//! not drift apart.

use std::sync::LazyLock;

use crate::operation::Operation;
use crate::{
    audit, backup, callback, calls, events, floor, health, letters, notes, outbound, phone,
    presence, prompts, queue_log, records, resources, sessions, voicemail,
};

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    [
        sessions::operations(),
        resources::operations(),
        letters::operations(),
        calls::operations(),
        outbound::operations(),
        callback::operations(),
        floor::operations(),
        queue_log::operations(),
        presence::operations(),
        records::operations(),
        notes::operations(),
        audit::operations(),
        backup::operations(),
        voicemail::operations(),
        prompts::operations(),
        events::operations(),
        phone::operations(),
        health::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// All operations.
pub(crate) fn operations() -> &'static [Operation] {
    &OPERATIONS
}

/// The methods that a path takes.
pub(crate) fn methods_of(path: &str) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for operation in operations() {
        let method = operation.method.as_str();
        if fits(&operation.path, path) && !methods.contains(&method) {
            methods.push(operation.method.as_str());
        }
    }
    methods
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}
