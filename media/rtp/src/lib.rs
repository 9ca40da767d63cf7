//! tandem-rtp
