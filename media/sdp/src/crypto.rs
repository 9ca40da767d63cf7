//! `a=crypto` lines: SRTP keys in the description (RFC 4568).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::agreement::Suite;
use crate::description::Media;

/// One `a=crypto` line that we can use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) tag: u32,
    pub(crate) suite: Suite,
    /// The key that the writer of the line sends with.
    pub(crate) key: [u8; 30],
}

// Peers disagree about the padding of 30 bytes of base64 (there is none).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The usable lines of a media section, in the writer's order.
pub(crate) fn lines(media: &Media) -> impl Iterator<Item = Line> {
    media.values("crypto").filter_map(read)
}

/// The value of an `a=crypto` line.
pub(crate) fn write(line: &Line) -> String {
    format!("{} {} inline:{}", line.tag, name(line.suite), BASE64.encode(line.key))
}

fn read(value: &str) -> Option<Line> {
    let mut words = value.split_ascii_whitespace();
    let tag: u32 = words.next()?.parse().ok()?;
    let suite = [Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32]
        .into_iter()
        .find(|suite| words.clone().next() == Some(name(*suite)))?;
    words.next();
    let key = read_key(words.next()?)?;
    // RFC 4568 6.3.7: a line with a session parameter that is not understood is not chosen.
    // This refuses UNENCRYPTED_SRTP and its like too; the window size hint is harmless.
    words.all(is_harmless).then_some(Line { tag, suite, key })
}

/// Reads `inline:<key and salt>|<lifetime>`; several keys or an MKI are not for us.
fn read_key(params: &str) -> Option<[u8; 30]> {
    let inline = params.strip_prefix("inline:")?;
    let mut parts = inline.split('|');
    let key = BASE64.decode(parts.next()?).ok()?.try_into().ok()?;
    let is_lifetime = |part: &str| !part.contains([':', ';']);
    parts.all(is_lifetime).then_some(key)
}

fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with("WSH=") || parameter == "KDR=0"
}

const fn name(suite: Suite) -> &'static str {
    match suite {
        Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
    }
}
