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

        const NAMES: &[(Name, &str, Shape)] =
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

/// Where a name of two letters or more is looked for first.
const fn slot(name: &[u8]) -> usize {
    let first = (name[0] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    (name.len() * 37 + first * 13 + middle * 7 + last * 131) % SLOTS
}

/// Open addressing, filled by the compiler.
const TABLE: [u8; SLOTS] = {
    let mut table = [EMPTY; SLOTS];
    let mut at = 0;
    while at < NAMES.len() {
        let mut place = slot(NAMES[at].1.as_bytes());
        while table[place] != EMPTY {
            place = (place + 1) % SLOTS;
        }
        table[place] = at as u8;
        at += 1;
    }
    table
};

/// Whether two names differ at most in case, eight bytes at a time. Setting bit 5 makes a letter
/// lower case; beside that it makes a carriage return a hyphen, and no line holds one.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes) | LOWER;
    if one.len() != other.len() {
        return false;
    }
    let starts = (one.first_chunk().map(word), other.first_chunk().map(word));
    let ends = (one.last_chunk().map(word), other.last_chunk().map(word));
    if starts.0.is_none() || one.len() > 16 {
        return one == other || one.eq_ignore_ascii_case(other);
    }
    starts.0 == starts.1 && ends.0 == ends.1
}

impl Name {
    /// The known header of a name, long or compact, in any case.
    #[must_use]
    #[inline]
    pub fn parse(name: &[u8]) -> Option<Self> {
        if let [letter] = name {
            return compact(*letter);
        }
        if name.is_empty() {
            return None;
        }
        let mut place = slot(name);
        while TABLE[place] != EMPTY {
            let (known, text, _) = NAMES[usize::from(TABLE[place])];
            if is_same(text.as_bytes(), name) {
                return Some(known);
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
