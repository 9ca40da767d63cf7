//! tandem-sdp
