//! Header names: the ones we know, found by their long or compact form.

/// How the values of a header stand on its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One value on a line, and commas are part of it.
    One,
    /// Several values may stand on a line, with commas between.
    List,
    /// The same, and none of them may be empty.
    StrictList,
}

macro_rules! names {
    ($($variant:ident $text:literal $shape:ident;)*) => {
        /// A header that has a meaning for us. Anything else is found by its text.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the variants are the header names")]
        pub enum Name { $($variant,)* }

        pub(super) const NAMES: &[(Name, &str, Shape)] =
            &[$((Name::$variant, $text, Shape::$shape),)*];
    };
}

names! {
    Accept "Accept" List;
    AcceptContact "Accept-Contact" List;
    AcceptEncoding "Accept-Encoding" List;
    AcceptLanguage "Accept-Language" List;
    AlertInfo "Alert-Info" List;
    Allow "Allow" List;
    AllowEvents "Allow-Events" List;
    AnswerMode "Answer-Mode" One;
    AuthenticationInfo "Authentication-Info" One;
    Authorization "Authorization" One;
    CallId "Call-ID" One;
    CallInfo "Call-Info" List;
    Contact "Contact" StrictList;
    ContentDisposition "Content-Disposition" One;
    ContentEncoding "Content-Encoding" List;
    ContentLanguage "Content-Language" List;
    ContentLength "Content-Length" One;
    ContentType "Content-Type" One;
    CSeq "CSeq" One;
    Date "Date" One;
    Diversion "Diversion" List;
    ErrorInfo "Error-Info" List;
    Event "Event" One;
    Expires "Expires" One;
    FlowTimer "Flow-Timer" One;
    From "From" One;
    HistoryInfo "History-Info" List;
    Identity "Identity" One;
    InfoPackage "Info-Package" One;
    InReplyTo "In-Reply-To" List;
    Join "Join" One;
    MaxForwards "Max-Forwards" One;
    MimeVersion "MIME-Version" One;
    MinExpires "Min-Expires" One;
    MinSe "Min-SE" One;
    Organization "Organization" One;
    PAccessNetworkInfo "P-Access-Network-Info" List;
    PAssertedIdentity "P-Asserted-Identity" List;
    Path "Path" List;
    PChargingVector "P-Charging-Vector" One;
    PPreferredIdentity "P-Preferred-Identity" List;
    Priority "Priority" One;
    Privacy "Privacy" One;
    ProxyAuthenticate "Proxy-Authenticate" One;
    ProxyAuthorization "Proxy-Authorization" One;
    ProxyRequire "Proxy-Require" List;
    RAck "RAck" One;
    Reason "Reason" List;
    RecordRoute "Record-Route" List;
    RecvInfo "Recv-Info" List;
    ReferredBy "Referred-By" One;
    ReferSub "Refer-Sub" One;
    ReferTo "Refer-To" One;
    RejectContact "Reject-Contact" List;
    RemotePartyId "Remote-Party-ID" List;
    Replaces "Replaces" One;
    ReplyTo "Reply-To" One;
    RequestDisposition "Request-Disposition" List;
    Require "Require" List;
    RetryAfter "Retry-After" One;
    Route "Route" List;
    RSeq "RSeq" One;
    Server "Server" One;
    ServiceRoute "Service-Route" List;
    SessionExpires "Session-Expires" One;
    SessionId "Session-ID" One;
    SipEtag "SIP-ETag" One;
    SipIfMatch "SIP-If-Match" One;
    Subject "Subject" One;
    SubscriptionState "Subscription-State" One;
    Supported "Supported" List;
    TargetDialog "Target-Dialog" One;
    Timestamp "Timestamp" One;
    To "To" One;
    Unsupported "Unsupported" List;
    UserAgent "User-Agent" One;
    UserToUser "User-to-User" List;
    Via "Via" StrictList;
    Warning "Warning" List;
    WwwAuthenticate "WWW-Authenticate" One;
}

/// The compact forms of the IANA registry.
const fn compact(letter: u8) -> Option<Name> {
    Some(match letter.to_ascii_lowercase() {
        b'a' => Name::AcceptContact,
        b'b' => Name::ReferredBy,
        b'c' => Name::ContentType,
        b'd' => Name::RequestDisposition,
        b'e' => Name::ContentEncoding,
        b'f' => Name::From,
        b'i' => Name::CallId,
        b'j' => Name::RejectContact,
        b'k' => Name::Supported,
        b'l' => Name::ContentLength,
        b'm' => Name::Contact,
        b'o' => Name::Event,
        b'r' => Name::ReferTo,
        b's' => Name::Subject,
        b't' => Name::To,
        b'u' => Name::AllowEvents,
        b'v' => Name::Via,
        b'x' => Name::SessionExpires,
        b'y' => Name::Identity,
        _ => return None,
    })
}

const SLOTS: usize = 512;
const EMPTY: u8 = u8::MAX;
const LOWER: u64 = 0x2020_2020_2020_2020;

/// What tells one name from another up to sixteen letters: the first eight and the last eight
/// (nothing, if there are no more than eight), in lower case, and the length.
///
/// Setting bit 5 makes a letter lower case; beside that it makes a carriage return a hyphen, and
/// no line holds one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    first: u64,
    last: u64,
    length: usize,
}

impl Mark {
    const NONE: Self = Self { first: 0, last: 0, length: 0 };

    /// The mark of the name that begins some bytes. There is no branch on the name's length in
    /// it as long as eight bytes follow: lengths change from line to line, and a processor that
    /// guesses them wrong takes longer than all the rest.
    #[inline]
    const fn of(bytes: &[u8], length: usize) -> Self {
        let first = match bytes.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => padded(bytes),
        };
        let unused = 64 - 8 * if length < 8 { length as u32 } else { 8 };
        let mask = match u64::MAX.checked_shr(unused) {
            Some(mask) => mask,
            None => 0,
        };
        let last = match bytes.split_at_checked(length) {
            Some((name, _)) if length > 8 => match name.last_chunk() {
                Some(word) => u64::from_le_bytes(*word) | LOWER,
                None => 0,
            },
            _ => 0,
        };
        Self { first: (first | LOWER) & mask, last, length }
    }

    /// Where the name is looked for first. The factors were searched for: no two known names
    /// share a place.
    const fn slot(self) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(21)).wrapping_mul(FACTOR);
        (mixed >> 55) as usize
    }
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

const fn padded(bytes: &[u8]) -> u64 {
    let (mut word, mut at) = (0, 0);
    while at < bytes.len() {
        word |= (bytes[at] as u64) << (8 * at);
        at += 1;
    }
    word
}

/// Open addressing, filled by the compiler.
const TABLE: ([u8; SLOTS], [Mark; NAMES.len()]) = {
    let mut table = [EMPTY; SLOTS];
    let mut marks = [Mark::NONE; NAMES.len()];
    let mut at = 0;
    while at < NAMES.len() {
        let text = NAMES[at].1.as_bytes();
        marks[at] = Mark::of(text, text.len());
        let mut place = marks[at].slot();
        while table[place] != EMPTY {
            place = (place + 1) % SLOTS;
        }
        table[place] = at as u8;
        at += 1;
    }
    (table, marks)
};

static PLACES: [u8; SLOTS] = TABLE.0;
static MARKS: [Mark; NAMES.len()] = TABLE.1;

impl Name {
    /// The known header of a name, long or compact, in any case.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::find(name, name.len())
    }

    /// The known header of the name that begins some bytes; what follows it is not looked at.
    #[inline]
    pub(super) fn find(bytes: &[u8], length: usize) -> Option<Self> {
        if length < 2 {
            return bytes.first().filter(|_| length == 1).and_then(|letter| compact(*letter));
        }
        let mark = Mark::of(bytes, length);
        let mut place = mark.slot();
        while PLACES[place] != EMPTY {
            let at = usize::from(PLACES[place]);
            if MARKS[at] == mark {
                let (known, text, _) = NAMES[at];
                let is_long = length > 16;
                let is_same = !is_long || text.as_bytes().eq_ignore_ascii_case(&bytes[..length]);
                return is_same.then_some(known);
            }
            place = (place + 1) % SLOTS;
        }
        None
    }

    /// The name as its specification spells it.
    #[must_use]
    pub const fn canonical(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// Whether several values may share a line.
    pub(super) const fn shape(self) -> Shape {
        NAMES[self as usize].2
    }
}
