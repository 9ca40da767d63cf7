//! From digits and destinations to phones, lines and queues.

use std::time::Duration;

use tandem_config::resource::Destination;

use crate::call::machine::{Device, Party, Route};
use crate::exchange::Exchange;
use crate::numbering::{self, Origin, Target};

/// Where a number leads for a party.
pub(crate) fn resolve(exchange: &Exchange, by: &Party, dialled: &str) -> Route {
    let directory = exchange.provisioning.directory();
    let origin = match by {
        Party::Extension { number, .. } => Origin::Extension(number),
        Party::Outside { trunk, number, .. } => {
            // A party from outside that is sent back to an extension (recall) may reach it;
            // anything else goes by the inbound routes.
            if directory.extension(dialled).is_some() {
                return route(exchange, Target::Extension(dialled.to_owned()), dialled);
            }
            Origin::Trunk { name: trunk, caller: number }
        }
    };
    let target = numbering::dialled(&directory, origin, dialled);
    route(exchange, target, dialled)
}

/// Where a number leads that a trunk's caller dialled: by the inbound routes only.
pub(crate) fn from_trunk(exchange: &Exchange, trunk: &str, caller: &str, dialled: &str) -> Route {
    let directory = exchange.provisioning.directory();
    let origin = Origin::Trunk { name: trunk, caller };
    route(exchange, numbering::dialled(&directory, origin, dialled), dialled)
}

/// Where a configured destination leads.
pub(super) fn destination(exchange: &Exchange, by: &Party, wanted: &Destination) -> Route {
    let directory = exchange.provisioning.directory();
    let target = numbering::destination(&directory, wanted, by.extension());
    let shown = match wanted {
        Destination::ExternalNum { number } => number.as_str(),
        _ => "",
    };
    route(exchange, target, shown)
}

/// The registered phones of an extension.
pub(crate) fn devices(exchange: &Exchange, extension: &str) -> Vec<Device> {
    let directory = exchange.provisioning.directory();
    let name = directory.extension(extension).map(|it| it.name.clone()).unwrap_or_default();
    exchange
        .location
        .contacts(extension)
        .into_iter()
        .map(|binding| Device {
            extension: extension.to_owned(),
            name: name.clone(),
            binding: binding.key,
        })
        .collect()
}

fn route(exchange: &Exchange, target: Target, dialled: &str) -> Route {
    match target {
        Target::Extension(extension) => {
            let directory = exchange.provisioning.directory();
            let secs = directory.extension(&extension).map_or(60, |it| it.ring_timeout_secs);
            Route::Devices {
                devices: devices(exchange, &extension),
                extension,
                ring_for: Duration::from_secs(u64::from(secs)),
            }
        }
        Target::Queue(number) => Route::Queue { number },
        Target::Lines(lines) => Route::Lines { number: dialled.to_owned(), lines },
        Target::Prompt(file) => Route::Prompt { file },
        Target::Test(test) => Route::Test(test),
        Target::Code(code) => Route::Code { code },
        Target::Refused(status, why) => Route::Refused { status, why },
    }
}
