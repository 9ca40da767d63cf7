//! tandem-kernel
