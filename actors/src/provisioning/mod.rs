//! The provisioned resources: a fold over their events.

/// The handle to the provisioned resources.
#[derive(Clone, Debug)]
pub struct Provisioning;
