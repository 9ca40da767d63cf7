//! The problems' pages: for each code what it means and what to do. The server makes the manual's
//! pages from this table, and every problem's `type` leads to one of them.

/// The page of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The stable code.
    pub code: &'static str,
    /// What has happened.
    pub means: &'static str,
    /// What helps.
    pub act: &'static str,
}

/// The page of a code, if it has one.
#[must_use]
pub fn of(code: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.code == code)
}

macro_rules! pages {
    ($($code:literal: $means:literal, $act:literal;)*) => {
        /// All pages.
        pub const PAGES: &[Page] = &[$(Page { code: $code, means: $means, act: $act },)*];
    };
}

pages! {
    "malformed-json": "The body of the request is not valid JSON.",
        "Look at the place that the detail names; a missing quote or comma is usual.";
    "invalid-fields": "The body is JSON, but some fields are not what they should be.",
        "Each entry of `errors` names one field by its JSON pointer and says why. Mend them \
        all and send it again.";
    "invalid-parameter":
        "A parameter of the path, the query or a header is not valid, or the operation has no \
        such parameter.",
        "The detail names the parameter. The API's document lists those that there are.";
    "unauthenticated":
        "The request has no token, or one that is not valid: mistyped, deleted, expired, or \
        of a session that has ended.",
        "Send `Authorization: Bearer` and a token, or sign in again. Sessions of \
        administrators end after a quarter of an hour without a request.";
    "wrong-password": "The name or the password is wrong. Which of the two is not told.",
        "Try again. After some failures each next one has to wait longer.";
    "forbidden":
        "The token is valid, but its role does not allow this, or it is bound to another \
        extension.",
        "Use an account with the permission that the API's document names for the operation.";
    "wrong-origin": "A page of another site tried to open the event stream.",
        "Open the page from the node itself, or through a proxy that keeps the Host header.";
    "no-route": "There is no such path.",
        "Compare it with the API's document. Paths begin with /api/v1.";
    "not-found":
        "The path is right, but there is no such thing, or it is one that the caller may not \
        see.",
        "List what there is, then ask again.";
    "wrong-method": "The path does not take this method.",
        "The Allow header lists the methods that it takes.";
    "conflict": "What was asked for does not fit the state in which the thing is now.",
        "Read the detail, look at the state, then decide.";
    "still-running": "The first request with this Idempotency-Key is not answered yet.",
        "Wait a moment and send it again with the same key: the answer will be that of the \
        first.";
    "outcome-unknown":
        "The node ended while it did the first request with this Idempotency-Key, so it can not \
        tell whether it was done.",
        "Look at what there is. If it was not done, send it again with another key.";
    "answer-not-kept":
        "The first request with this Idempotency-Key was done before the node was started again. \
        Its answer holds a secret, or is long, and is not kept on the disk.",
        "Look at what there is. A token whose text was lost is deleted and made anew.";
    "stale": "Somebody has changed the resource since it was read.",
        "Read it again, look at what has changed, and write with the new ETag.";
    "too-large": "The body is larger than the operation takes.",
        "Split it. The detail names the limit.";
    "wrong-media-type": "The body has a Content-Type that the operation does not take.",
        "Send application/json, and application/merge-patch+json with PATCH.";
    "key-reused": "The Idempotency-Key was used before with another body.",
        "Take a new key for a new request.";
    "match-required": "A change of a resource has to say which revision it changes.",
        "Read the resource and send its ETag as If-Match; `*` overwrites whatever there is.";
    "too-many-requests": "The caller has asked too often, or has given too many wrong passwords.",
        "Wait as long as Retry-After says. RateLimit says how much is left; \
        `http.request_burst` and `http.requests_per_second` of the node's file set the limit \
        of a token. Many resources are written in one request by /api/v1/import.";
    "internal": "The server made a mistake.",
        "Tell the maintainers, with the request's id that is in `instance` and in the log.";
    "unavailable":
        "The node can not do this now: it starts, drains, is full, or its journal does not \
        take writes.",
        "Try again after Retry-After. If it stays, look at /readyz and at the log.";
    "not-ready": "Something that the node needs is missing; the detail names it.",
        "Wait for the start to end. If it stays, look at the log.";
    "timed-out": "The node did not answer in time. A change may have been made, or be made yet.",
        "Look whether it was, before sending it again; with an Idempotency-Key sending again \
        is safe.";
    "already-processed": "Somebody else has taken care of this missed call since it was read.",
        "Look at its changes: they say who has, and when.";
    "was-answered": "Only calls that nobody answered have a processing state.",
        "Write a note on the call instead.";
    "already-exists": "There is a resource with this key already.",
        "Choose another key, or change the one that there is with PUT or PATCH.";
    "in-use": "Other resources refer to this one, so it can not be deleted.",
        "The detail lists them. Change them first.";
    "extension-not-registered": "No phone of the extension is registered, so none can ring.",
        "Look at the phone: its address, user name and password, and whether it reaches the \
        node.";
    "extension-busy": "The extension is in a call or rings for one.",
        "Wait until its call has ended.";
    "rejected-by-flow": "The call flow of the outbound code has rejected the call.",
        "Look at the conditions of that flow.";
    "call-ended": "The call has ended in the meantime.",
        "Nothing is to be done. Its record is among the call records.";
    "call-not-connected":
        "The call is not in a conversation, so it can be neither held nor transferred.",
        "Wait until it is answered.";
    "call-not-waiting":
        "The caller does not wait in a queue, or not any more: an agent has answered, or the \
        caller has gone.",
        "Look at the queue again. A call that was answered can be transferred.";
    "call-not-ringing": "The call does not ring, or not any more.",
        "Somebody else has taken it, or the caller has gone. One who waits in a queue can be \
        picked up while an agent rings.";
    "call-rings-there": "The call rings at this extension already.", "Answer it there.";
    "call-transferring": "The call is being transferred.",
        "Wait until the transfer has succeeded or failed.";
    "no-free-slot": "On each slot somebody is parked.",
        "Wait until one of them is fetched, or set a wider range in the settings.";
    "call-meeting": "More than two talk in the call, so it can not be transferred.",
        "Wait until two are left, or let the others go on by hanging up.";
    "call-full": "No more can take part in the call, or attend it.",
        "Wait until somebody has left.";
    "call-serving":
        "The talk was given by a queue, so it stays with its call. Another call can be taken \
        into it.",
        "Merge the other way round. Of two calls of queues one must end first.";
    "call-own": "The extension is a party of the call, so it can not attend it as a manager.",
        "Name another extension.";
    "call-elsewhere": "The call is at another member, and this can only be done there.",
        "Ask the member that the call names.";
    "call-state": "The state of the call does not allow it.",
        "Look at the call again.";
    "call-leg-unknown": "The extension has no part in the call.",
        "Name an extension that is a party of it.";
    "callback-dialling": "An agent has answered, and the customer is being dialled.",
        "Wait for its end, or hang up the call.";
    "agent-not-dynamic": "The agent is a static member: always logged in.",
        "Make the member dynamic in the queue, or pause the agent.";
    "agent-logged-out": "The agent is not logged in, so there is nothing to pause.",
        "Log the agent in first.";
    "unknown-pause-reason": "The settings have no such pause reason.",
        "List the reasons of the settings, or add it there.";
    "audio-not-agreed": "The browser and the node found no audio that both can do.",
        "Use a browser with WebRTC, and look at the extension's codecs.";
    "phone-replaced": "Another page has become the phone of this extension.",
        "Go on there, or connect here again to take it back.";
    "number-missing": "No number was given to be dialled.",
        "Give one.";
    "not-a-number": "What was given is not a number that can be dialled.",
        "1 to 32 digits, `+`, `*` and `#`.";
    "code-unknown": "There is no such outbound code.",
        "List the codes, or leave the code out.";
    "code-not-permitted": "The caller may not use this outbound code.",
        "Use another one, or ask an administrator to permit it.";
    "code-unrouted": "No outbound route belongs to this code.",
        "Give the code to a route.";
    "number-not-taken": "No outbound route takes this number.",
        "Add a route with a pattern for it, or dial it as the routes expect it.";
    "caller-id-not-allowed": "The caller may not show this caller ID.",
        "Choose one that is permitted.";
    "route-not-permitted": "The caller may not use the route of this number.",
        "Add the extension to the route, or dial from another.";
    "country-not-allowed": "Calls to this country are not allowed.",
        "An administrator can allow it.";
    "outside-hours": "Calls out are not allowed at this hour.",
        "Wait, or change the hours.";
    "too-many-calls": "Too many calls were begun within a minute.",
        "Wait. If it was not you, look who used the account.";
    "spend-limit": "The limit of what calls out may cost is reached.",
        "Wait for the next period, or raise the limit.";
}
