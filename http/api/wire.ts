// Made from the server's types; not to be edited.

/** A call of a queue that an agent talks with. */
export type ActiveCall = {
  agent: string;
  call: string;
  is_callback?: boolean;
  since: string;
};

/** What an agent is doing. */
export type Activity = "idle" | "ringing" | "talking" | "wrap_up";

/** An agent over all queues. */
export type Agent = {
  activity: Activity;
  extension: string;
  memberships: Array<AgentMembership>;
  registered: boolean;
  since: string;
};

/** An agent's state in one queue. */
export type AgentMembership = {
  logged_in: boolean;
  login_changed_at?: string | null;
  membership: Membership;
  pause_reason?: string | null;
  paused: boolean;
  queue: string;
};

/** Agent options of a queue. */
export type AgentOptions = {
  announce_id?: boolean;
  announcement?: string;
  auto_pause?: AutoPause;
  phone_shows_missed?: boolean;
  retry_interval_secs?: number;
  ring_in_use?: boolean;
  ring_timeout_secs?: number;
  wrap_up_secs?: number;
};

/** What an agent of a queue can be granted beside the call log. */
export type AgentRight = "wallboard" | "panel" | "distribution" | "pick_up" | "park";

/** What the agents of a queue may. */
export type AgentRights = {
  call_log?: CallLogRight;
  rights?: Array<AgentRight>;
};

/** The node lives. */
export type Alive = {
  alive: boolean;
};

/** A bearer token for programs. */
export type ApiToken = {
  expires_at?: string | null;
  extension?: string | null;
  id: string;
  name: string;
  role: Role;
};

/** A token that was just made. The text is shown here and never again. */
export type ApiTokenCreated = {
  expires_at?: string | null;
  extension?: string | null;
  id: string;
  name: string;
  role: Role;
  token: string;
};

/** Something that somebody did. */
export type AuditEntry = {
  action: string;
  at: string;
  by: string;
  fields: Array<string>;
  from?: string | null;
  key: string;
  kind: string;
  position: string;
};

/** When an agent is paused by the system. It has no effect with `ring_all`. */
export type AutoPause = {
  enabled?: boolean;
  missed_calls?: number;
};

/** A live call. */
export type Call = {
  answered_at?: string | null;
  direction: Direction;
  from: string;
  id: string;
  legs: Array<Leg>;
  member: number;
  queue?: string | null;
  started_at: string;
  to: string;
};

/** A call flow: steps in their order. Its version is its revision, the ETag's value; a call goes
on with the version that it began with. */
export type CallFlow = {
  name: string;
  number: string;
  steps: Array<FlowStep>;
};

/** The agents' right to see the queue call log (Q-282). */
export type CallLogRight = {
  agents?: Array<string>;
  enabled?: boolean;
  scope?: CallLogScope;
};

/** Which records of the queue call log an agent sees. */
export type CallLogScope = "all" | "inbound" | "missed";

/** The record of a call that is over. */
export type CallRecord = {
  answered_at?: string | null;
  answered_by?: string | null;
  callback?: (Callback | null);
  cause: string;
  correlation_id?: string | null;
  direction: Direction;
  ended_at: string;
  from: string;
  hold_secs: number;
  id: string;
  note?: (NoteWriting | null);
  outcome: string;
  outgoing?: (Outgoing | null);
  position: string;
  queue?: (QueuePassage | null);
  rating?: (Rating | null);
  requested_by?: string | null;
  started_at: string;
  steps: Array<CallStep>;
  talk_secs: number;
  to: string;
  trunk?: string | null;
};

/** A step of a call through a menu, a call flow, a mailbox, a ring group or a prompt, or from one
party to another. */
export type CallStep = {
  at: string;
  detail: string;
  key: string;
  kind: string;
};

/** The tags that a note can have: names by id, from the settings. */
export type CallTags = Record<string, string>;

/** A customer who called back. */
export type Callback = {
  agent: string;
  agent_only: boolean;
  fell_back: boolean;
  outbound_at: string;
  outbound_call: string;
  result: string;
};

/** What is known of a number. */
export type CallbackLookup = {
  last_call?: (LastCall | null);
};

/** How a waiting caller asks to be called back. */
export type CallbackMethod = "by_key" | "by_timeout";

/** Who takes a callback when the agent can not. */
export type CallbackMode = "agent_only" | "agent_first";

/** Callback: a caller hangs up, keeps the place and is called when an agent is free. */
export type CallbackOptions = {
  enabled?: boolean;
  key?: string;
  method?: CallbackMethod;
  outbound_prefix?: string;
  timeout_secs?: number;
  trigger_timeout_secs?: number;
};

/** The policy for callbacks. */
export type CallbackPolicy = {
  announcement?: string;
  did_scope?: DidScope;
  enabled?: boolean;
  grace_secs?: number;
  hours?: Array<DialHours>;
  mode?: CallbackMode;
  prompt?: string;
  ring_timeout_secs?: number;
  target?: CallbackTarget;
  window_hours?: number;
};

/** A request for a callback that is open. */
export type CallbackRequest = {
  agents: Array<string>;
  call: string;
  caller: string;
  expires_at?: string | null;
  joined_at: string;
  number: string;
  position: number;
  registered_at: string;
  state: CallbackRequestState;
};

/** How far a request for a callback has come. */
export type CallbackRequestState = "waiting" | "ringing" | "dialling" | "online";

/** The requests for a callback that are open in a queue, in the order of its line. */
export type CallbackRequests = {
  items: Array<CallbackRequest>;
};

/** Whom a customer reaches after a transfer. */
export type CallbackTarget = "placed_by" | "last_talked";

/** A channel category: which route its codes take. */
export type ChannelCategory = {
  flow?: Array<DialStep>;
  name: string;
  numbers?: Array<string>;
  route?: string | null;
};

/** What a client may say on the WebSocket. */
export type ClientMessage = ({
  from?: string | null;
  kinds?: Array<string>;
  type: "subscribe";
} | {
  topics: Array<string>;
  type: "watch";
} | {
  body?: unknown;
  id: number;
  if_match?: string | null;
  operation: string;
  path?: Record<string, string>;
  query?: Record<string, string>;
  type: "command";
});

/** What is said about a code and where it belongs: the part that needs no technician. */
export type CodeDescription = {
  category?: string;
  description?: string;
  name: string;
};

/** A trunk of a code. */
export type CodeTrunk = {
  name: string;
  state: string;
};

/** The figures of one outbound code. */
export type CodeUsage = {
  answered: number;
  attempts: number;
  code: string;
  cost: number;
  failures: Record<string, number>;
  id: string;
  name: string;
  talk_secs: number;
  unrouted: number;
};

/** The figures of all outbound codes that were used. */
export type CodeUsages = {
  codes: Array<CodeUsage>;
};

/** When a step of a call flow is done; all that is given must hold. */
export type Conditions = {
  caller?: Array<string>;
  digits?: Array<string>;
  hours?: (Hours | null);
};

/** A user's own arrangement of the queue panel and of the wallboard. */
export type Console = {
  alarm_threshold_percent?: number;
  all?: Array<Tile>;
  groups?: Array<QueueGroup>;
  name: string;
  rotation_secs?: number;
  single?: Array<Tile>;
};

/** Somebody outside whose calls are shown by name. */
export type Contact = {
  company?: string;
  id: string;
  name: string;
  numbers: Array<string>;
};

/** When a caller's number is a contact's. */
export type ContactMatch = {
  ignore_symbols?: boolean;
  last_digits?: number | null;
};

/** Caller IDs that customers can not call back. */
export type DeadEnds = {
  numbers: Array<string>;
};

/** A letter as the house writes it. */
export type DefaultLetter = {
  event: LetterKind;
  subject: string;
  text: string;
};

/** Where a call can be sent. */
export type Destination = ({
  type: "end_call";
} | {
  number: string;
  type: "extension";
} | {
  number: string;
  type: "queue";
} | {
  number: string;
  type: "external_num";
} | {
  prompt: string;
  times?: number;
  type: "play_greeting";
} | {
  number: string;
  type: "ext_vm";
} | {
  number: string;
  type: "group_vm";
} | {
  number: string;
  type: "ivr";
} | {
  number: string;
  type: "call_flow";
} | {
  number: string;
  type: "ring_group";
});

/** What a step of a category's flow says. */
export type DialAction = ({
  caller_id?: string;
  prepend?: string;
  route: string;
  type: "dial";
} | {
  reason: string;
  type: "reject";
});

/** When a step of a category's flow decides; all that is given must hold. */
export type DialConditions = {
  extensions?: Array<string>;
  hours?: (Hours | null);
  number?: Array<string>;
};

/** A span of the day on some days of the week. */
export type DialHours = {
  days: Array<number>;
  from_minute: number;
  until_minute: number;
};

/** One dial pattern of an outbound route and what is done to the number. */
export type DialRule = {
  pattern: string;
  prefix?: string;
  prepend?: string;
  strip?: number;
};

/** A step of a category's flow: the first whose conditions hold decides. */
export type DialStep = {
  action: DialAction;
  when?: DialConditions;
};

/** Which called numbers bring a customer back to the agent. */
export type DidScope = "same_number" | "same_category" | "any";

/** Where a call came from and went. */
export type Direction = "internal" | "inbound" | "outbound";

/** How DTMF digits travel on a leg. */
export type DtmfMode = "auto" | "rfc4733" | "info" | "inband";

/** Whether, and by which scenarios, a queue without agents turns callers away. */
export type EmptyRule = {
  enabled?: boolean;
  scenarios?: Array<EmptyScenario>;
};

/** A way in which an agent is unavailable. */
export type EmptyScenario = "all_unregistered" | "all_paused" | "all_in_use";

/** Whether a leg's audio is encrypted (SDES-SRTP). */
export type Encryption = "off" | "optional" | "required";

/** A fact, as it was written to the journal. */
export type Event = {
  at: string;
  data: unknown;
  key: string;
  kind: string;
  name: string;
  position: string;
};

/** A telephone of the house. */
export type Extension = {
  codecs?: Array<string>;
  dtmf?: DtmfMode;
  email?: string;
  enabled?: boolean;
  encryption?: Encryption;
  max_contacts?: number;
  name?: string;
  number: string;
  outbound_caller_id?: string;
  password?: string | null;
  ring_timeout_secs?: number;
  voicemail?: ExtensionVoicemail;
};

/** The voicemail of an extension. */
export type ExtensionVoicemail = {
  enabled?: boolean;
  mailbox?: MailboxOptions;
};

/** One field that is wrong. */
export type FieldProblem = {
  code: string;
  detail: string;
  pointer: string;
};

/** A name with a value. */
export type Figure = {
  name: string;
  value: string;
};

/** What a step of a call flow does. */
export type FlowAction = ({
  prompt: string;
  type: "play";
} | {
  max_digits: number;
  prompt: string;
  timeout_secs: number;
  type: "collect";
} | {
  destination: Destination;
  type: "go";
});

/** A step of a call flow. */
export type FlowStep = {
  action: FlowAction;
  when?: Conditions;
};

/** In which order the members of a ring group ring. */
export type GroupStrategy = "ring_all" | "sequential";

/** A group voicemail: one mailbox for several extensions. */
export type GroupVoicemail = {
  mailbox?: MailboxOptions;
  members?: Array<string>;
  name: string;
  number: string;
};

/** Days on which the office is closed. */
export type Holiday = {
  every_year?: boolean;
  from: string;
  name: string;
  prompt?: string;
  to: string;
};

/** Hours of some days of the week. An end before the begin is on the next day. */
export type Hours = {
  days?: Array<string>;
  from: string;
  to: string;
  zone: string;
};

/** STUN and TURN servers, in the form of WebRTC's `RTCIceServer`. */
export type IceServer = {
  credential: string;
  urls: Array<string>;
  username: string;
};

/** Resources to be written, one after the other. */
export type Import = {
  items: Array<ImportItem>;
  overwrite?: boolean;
};

/** One resource. */
export type ImportItem = {
  kind: string;
  resource: unknown;
};

/** A resource that was refused. */
export type ImportRefusal = {
  index: number;
  problem: Problem;
};

/** How an import ended. */
export type Imported = {
  created: number;
  refused: Array<ImportRefusal>;
  replaced: number;
};

/** Where calls from trunks go. Routes are tried by ascending `priority`, then by name; the first
that matches trunk, dialled number and caller wins. */
export type InboundRoute = {
  callback?: boolean | null;
  caller?: Array<string>;
  destination: Destination;
  did?: Array<string>;
  enabled?: boolean;
  name: string;
  priority?: number;
  trunks?: Array<string>;
};

/** A menu: a prompt, and where each key leads. */
export type Ivr = {
  dial_by_extension?: boolean;
  digit_timeout_secs?: number;
  invalid?: Destination;
  invalid_prompt?: string;
  keys?: Record<string, Destination>;
  max_tries?: number;
  name: string;
  number: string;
  prompt: string;
  timeout?: Destination;
  timeout_secs?: number;
};

/** The last call of an agent to a number. */
export type LastCall = {
  at: string;
  call: string;
  category?: string | null;
  placed_by: string;
  shown: string;
  talked?: string | null;
  trunk: string;
};

/** One party of a call. */
export type Leg = {
  index: number;
  number: string;
  party: string;
  since: string;
  state: LegState;
  supervises?: (Supervision | null);
};

/** The state of a leg. */
export type LegState = "dialling" | "ringing" | "up" | "held" | "ended";

/** What a letter is about. */
export type LetterKind = "queue_missed_call" | "queue_abandoned_call" | "queue_sla_alarm" | "queue_callback_requested" | "queue_callback_failed" | "agent_auto_paused";

/** A letter with sample values. */
export type LetterPreview = {
  subject: string;
  text: string;
};

/** Subject and text of one kind of letter in one language. Variables stand in `{{ }}`; templates
are those of minijinja. What a letter has nothing to say about is empty or 0. */
export type LetterTemplate = {
  event: LetterKind;
  language: string;
  subject: string;
  text: string;
};

/** All letters that can be written in other words. */
export type Letters = {
  defaults: Array<DefaultLetter>;
  variables: Array<string>;
};

/** How a mailbox works, of an extension or of a group. */
export type MailboxOptions = {
  email?: Array<string>;
  greeting?: string;
  max_message_secs?: number;
  max_messages?: number;
};

/** What a manager of a queue can be granted. */
export type ManagerRight = "wallboard" | "panel" | "agent_state" | "distribution" | "pick_up" | "monitor" | "park" | "recording" | "missed_calls" | "delete_missed_calls";

/** What the managers of a queue may. */
export type ManagerRights = {
  rights?: Array<ManagerRight>;
};

/** One agent of a queue. */
export type Member = {
  extension: string;
  membership: Membership;
  skill_level?: number;
};

/** The agents of a queue, in list order. */
export type Members = {
  members: Array<Member>;
};

/** Static or dynamic agent. */
export type Membership = "static" | "dynamic";

/** Another call of the same extension, whose other party comes to this one. */
export type Merge = {
  with: string;
};

/** A message. */
export type Message = {
  at: string;
  bytes: number;
  call: string;
  checksum: string;
  from: string;
  heard_at?: string | null;
  id: string;
  length_secs: number;
  mailbox: string;
};

/** How a manager wants to attend a call. */
export type Monitor = {
  agent?: string | null;
  extension?: string | null;
  mode: Supervision;
};

/** The note on a call. */
export type Note = {
  earlier: Array<NoteWriting>;
  newest?: (NoteWriting | null);
};

/** What is written on a call. */
export type NoteWish = {
  tags?: Array<string>;
  text?: string;
};

/** One writing of a note. */
export type NoteWriting = {
  at: string;
  by: string;
  tags: Array<string>;
  text: string;
};

/** Of what the managers are told by e-mail. */
export type Notifications = {
  abandoned_call?: boolean;
  callback_failed?: boolean;
  callback_requested?: boolean;
  missed_call?: boolean;
  sla_alarm?: boolean;
};

/** Numbers from one to another. */
export type NumberRange = {
  first: number;
  last: number;
};

/** Office hours. An end before the begin is on the next day. */
export type OfficeHours = {
  days?: Array<string>;
  from: string;
  to: string;
};

/** What becomes of a call through a code without a working route. */
export type OnUnrouted = "default_route" | "reject";

/** A wish to ring an extension and, when it answers, to dial for it. */
export type Originate = {
  auto_answer?: boolean;
  caller_id?: string | null;
  code_id?: string | null;
  correlation_id?: string | null;
  from: string;
  is_typed?: boolean;
  to: string;
};

/** A call that was begun. */
export type Originated = {
  id: string;
};

/** A short code that picks the line of an outside call, and with it the number that the customer
sees. */
export type OutboundCode = {
  caller_id?: string;
  category?: string;
  code: string;
  description?: string;
  enabled?: boolean;
  extensions?: Array<string>;
  id: string;
  name: string;
  prefix_confirmed?: boolean;
  queues?: Array<string>;
};

/** The policy for calls to the outside. */
export type OutboundPolicy = {
  allowed_countries?: Array<string>;
  caller_ids?: Array<string>;
  codes_enabled?: boolean;
  default_code?: string;
  default_code_by_extension?: Record<string, string>;
  default_code_by_queue?: Record<string, string>;
  emergency_numbers?: Array<string>;
  emergency_trunks?: Array<string>;
  extension_calls_per_minute?: number;
  extension_spend_per_day?: number;
  home_country?: string;
  hours?: Array<DialHours>;
  international_prefix?: string;
  max_codes?: number;
  min_remainder?: number;
  national_prefix?: string;
  on_unrouted?: OnUnrouted;
  utc_offset_minutes?: number;
};

/** Which trunk a dialled number takes. */
export type OutboundRoute = {
  caller_id?: string;
  callers?: Array<string>;
  codes_only?: boolean;
  enabled?: boolean;
  extensions?: Array<string>;
  name: string;
  price_per_minute?: number;
  priority?: number;
  rules: Array<DialRule>;
  trunks: Array<string>;
  weights?: Record<string, number>;
};

/** How a call went to the outside. */
export type Outgoing = {
  caller_id: string;
  category?: string | null;
  cost: number;
  dialled: string;
  is_emergency: boolean;
  number: string;
  outbound_code?: (UsedCode | null);
  outbound_code_applied: boolean;
  route: string;
};

/** Who is to be parked. */
export type Park = {
  party?: string | null;
};

/** Where somebody was parked. */
export type ParkedAt = {
  slot: string;
};

/** Slots on which callers are parked. */
export type Parking = {
  first?: number;
  last?: number;
  timeout_secs?: number;
};

/** A pause. */
export type Pause = {
  queue?: string | null;
  reason?: string | null;
};

/** The reasons for a pause: names by code, from the settings. */
export type PauseReasons = Record<string, string>;

/** A call on the phone. */
export type PhoneCall = {
  call: string;
  caller_name: string;
  line: number;
  number: string;
  outgoing: boolean;
  since: string;
  state: PhoneCallState;
};

/** What a call on the phone is doing. */
export type PhoneCallState = "ringing" | "up" | "held";

/** What a page may want of its phone. */
export type PhoneCommand = ({
  name: "connect";
  offer: string;
} | {
  name: "dial";
  to: string;
} | {
  line: number;
  name: "answer";
} | {
  line: number;
  name: "decline";
} | {
  line: number;
  name: "hang_up";
} | {
  line: number;
  name: "hold";
} | {
  line: number;
  name: "resume";
} | {
  line: number;
  name: "transfer";
  to: string;
} | {
  line: number;
  name: "join";
  with: number;
} | {
  line: number;
  name: "merge";
  with: number;
});

/** Where the browser's audio stands. */
export type PhoneLink = "connecting" | "up" | "down" | "failed";

/** What the server says. */
export type PhoneMessage = ({
  extension: string;
  ice_servers?: Array<IceServer>;
  type: "hello";
} | {
  answer?: string | null;
  call?: string | null;
  id: number;
  problem?: (Problem | null);
  type: "reply";
} | (PhoneState & {
  type: "phone";
}) | {
  problem: Problem;
  type: "problem";
});

/** What a page may say. */
export type PhoneRequest = ({
  command: PhoneCommand;
  id: number;
  type: "command";
});

/** The phone as it is now. */
export type PhoneState = {
  calls: Array<PhoneCall>;
  link: PhoneLink;
  now: string;
  transfer_failed?: number | null;
};

/** Who picks up a call that rings for a queue. */
export type PickUp = {
  extension?: string | null;
};

/** What can be watched, as it is now. */
export type Picture = ({
  queue: QueueStatus;
} | {
  agents: Array<Agent>;
} | {
  calls: Array<Call>;
});

/** A line that would be tried. */
export type PlannedLine = {
  caller_id: string;
  number: string;
  trunk: string;
};

/** The presence of an extension. */
export type Presence = {
  actions: Record<string, PresenceAction>;
  extension: string;
  since?: string | null;
  status: PresenceStatus;
};

/** What a status does to the agent when it begins. */
export type PresenceAction = ({
  action: "nothing";
} | {
  action: "log_in";
} | {
  action: "log_in_last";
} | {
  action: "log_out";
} | {
  action: "pause";
  reason?: string | null;
});

/** What each status is to do; one that is left out does nothing. */
export type PresenceActions = {
  actions?: Record<string, PresenceAction>;
};

/** What somebody is doing. */
export type PresenceStatus = "available" | "away" | "business_trip" | "do_not_disturb" | "lunch_break" | "off_work";

/** What somebody does now. */
export type PresenceWish = {
  status: PresenceStatus;
};

/** Who asks. */
export type Principal = {
  extension?: string | null;
  name: string;
  role: Role;
};

/** What went wrong, as `application/problem+json` (RFC 9457). */
export type Problem = {
  code: string;
  detail: string;
  errors?: Array<FieldProblem>;
  instance: string;
  status: number;
  title: string;
  type: string;
};

/** A change of a processing state. */
export type ProcessingChange = {
  at: string;
  auto_sync: boolean;
  by: string;
  extension?: string | null;
  from: ProcessingState;
  to: ProcessingState;
};

/** How far somebody has taken care of a missed call. */
export type ProcessingState = "unprocessed" | "processing" | "processed";

/** A wish for a processing state. */
export type ProcessingWish = {
  from?: (ProcessingState | null);
  state: ProcessingState;
};

/** An uploaded prompt. */
export type Prompt = {
  bytes: number;
  checksum: string;
  length_secs: number;
  name: string;
};

/** What callers hear. */
export type PromptOptions = {
  announcement?: string;
  announcement_interval_secs?: number;
  estimate?: boolean;
  hold_music?: string;
  join?: string;
  language?: string;
  position?: boolean;
  position_interval_secs?: number;
  ring_after_join?: boolean;
  thanks?: boolean;
  waiting_audio?: string;
};

/** All of them. */
export type Prompts = {
  items: Array<Prompt>;
};

/** A call queue. */
export type Queue = {
  acceleration_secs?: number;
  agent?: AgentOptions;
  alert_info?: string;
  callback?: CallbackOptions;
  daily_reset_zone?: string;
  failover?: Destination;
  join_empty?: EmptyRule;
  key_events?: Record<string, Destination>;
  leave_empty?: EmptyRule;
  managers?: Array<string>;
  max_callers?: number;
  max_wait_secs?: number;
  members?: Array<Member>;
  name: string;
  notifications?: Notifications;
  number: string;
  permissions?: QueuePermissions;
  prompts?: PromptOptions;
  ring_strategy?: RingStrategy;
  skill_based_routing?: boolean;
  sla?: SlaOptions;
  survey?: SurveyOptions;
  time_condition?: TimeCondition;
  weight?: number;
};

/** Which queue a log-in, log-out or resume is for. */
export type QueueChoice = {
  queue?: string | null;
};

/** Queues that a user looks at together. */
export type QueueGroup = {
  alarm_threshold_percent?: number;
  name: string;
  queues: Array<string>;
};

/** A caller who has left a queue. */
export type QueueLogEntry = {
  agent?: string | null;
  call: string;
  callback?: string | null;
  callback_failure?: string | null;
  caller: string;
  caller_name: string;
  changes: Array<ProcessingChange>;
  exit: string;
  id: string;
  joined_at: string;
  left_at: string;
  note?: (NoteWriting | null);
  outcome: QueueOutcome;
  queue: string;
  queue_name: string;
  state?: (ProcessingState | null);
  talk_secs?: number | null;
  wait_secs: number;
};

/** The number that a new queue is proposed. */
export type QueueNumber = {
  number?: string | null;
};

/** What an entry counts for. */
export type QueueOutcome = "answered" | "missed" | "abandoned";

/** How a call left a queue. */
export type QueuePassage = {
  agent?: string | null;
  exit: string;
  queue: string;
  wait_secs: number;
};

/** What may be done with a queue, by its managers and by its agents. */
export type QueuePermissions = {
  agent?: AgentRights;
  manager?: ManagerRights;
};

/** A queue as it is now, with its counters (section 30.3 of the specification). */
export type QueueStatus = {
  abandoned: number;
  active: Array<ActiveCall>;
  agents: Array<Agent>;
  answered: number;
  missed: number;
  name: string;
  number: string;
  service_level: ServiceLevel;
  total: number;
  waiting: Array<WaitingCaller>;
};

/** All queues as they are now, in the order of their numbers. */
export type QueueStatuses = {
  items: Array<QueueStatus>;
};

/** A caller's answer to a queue's survey. */
export type Rating = {
  agent: string;
  key: string;
  queue: string;
  score: number;
};

/** The node can work. If it can not, a problem names what is missing. */
export type Ready = {
  checks: Array<string>;
};

/** Where a caller who waits in a queue is sent. */
export type Redirect = {
  to: string;
  to_voicemail?: boolean;
};

/** Digits that are to be read, not dialled. */
export type Resolve = {
  caller_id?: string | null;
  code_id?: string | null;
  dialled: string;
  extension: string;
  is_typed?: boolean;
};

/** How digits would be read. */
export type Resolved = {
  category?: string | null;
  code_applied: boolean;
  code_id?: string | null;
  lines: Array<PlannedLine>;
  number?: string | null;
  refusal?: string | null;
  route?: string | null;
  step: string;
  target: string;
  why?: string | null;
};

/** Whether missed calls of the same caller and queue are processed together. */
export type ResultSync = {
  enabled?: boolean;
  within_hours?: number;
};

/** Extensions that ring together. */
export type RingGroup = {
  failover?: Destination;
  members: Array<string>;
  name: string;
  number: string;
  ring_timeout_secs?: number;
  strategy?: GroupStrategy;
};

/** Which agent rings next. */
export type RingStrategy = "ring_all" | "least_recent" | "fewest_calls" | "random" | "rrmemory" | "linear";

/** What a principal may do. */
export type Role = "admin" | "manager" | "agent" | "wallboard";

/** A queue that was written, with what is worth a second look. */
export type SavedQueue = (Queue & {
  warnings: Array<Warning>;
});

/** What the server says on the WebSocket. */
export type ServerMessage = ({
  position: string;
  type: "hello";
} | {
  from: string;
  type: "subscribed";
} | (Event & {
  type: "event";
}) | {
  position: string;
  state?: (Picture | null);
  topic: string;
  type: "snapshot";
} | {
  body?: unknown;
  etag?: string | null;
  id: number;
  problem?: (Problem | null);
  status: number;
  type: "reply";
} | {
  problem: Problem;
  type: "problem";
});

/** How many of a queue's callers were answered in time. */
export type ServiceLevel = {
  in_time: number;
  percent: number;
  threshold_percent: number;
  total: number;
  within_secs: number;
};

/** A session that was opened. The token is shown here and never again. */
export type Session = {
  expires_at: string;
  principal: Principal;
  token: string;
};

/** System-wide options. Fields that are left out get their defaults. */
export type Settings = {
  call_tags?: Record<string, string>;
  callback?: CallbackPolicy;
  code_leave_message?: string;
  code_login_all?: string;
  code_login_last?: string;
  code_logout_all?: string;
  code_queue_login?: string;
  code_queue_pause?: string;
  code_voicemail?: string;
  contact_match?: ContactMatch;
  dynamic_agents_start_logged_in?: boolean;
  hold_music?: string;
  language?: string;
  letters?: Array<LetterTemplate>;
  outbound?: OutboundPolicy;
  parking?: Parking;
  pause_reasons?: Record<string, string>;
  queue_numbers?: NumberRange;
  result_sync?: ResultSync;
  shared_wrap_up?: boolean;
  test_numbers?: TestNumbers;
};

/** A name and its password. */
export type SignIn = {
  name: string;
  password: string;
};

/** The service level that a queue is to keep (section 14). */
export type SlaOptions = {
  alarm_threshold_percent?: number;
  evaluation_interval_mins?: number;
  time_secs?: number;
};

/** How a manager attends the talk of others. */
export type Supervision = "listen" | "whisper" | "barge";

/** What callers are asked when the agent has hung up. */
export type SurveyOptions = {
  end_prompt?: string;
  prompt?: string;
  scores?: Record<string, number>;
};

/** Numbers that test a phone. */
export type TestNumbers = {
  echo?: string;
  music?: string;
  tone?: string;
};

/** A ticket for one WebSocket or event stream, for pages, which can not send a token with it. */
export type Ticket = {
  expires_at: string;
  ticket: string;
};

/** A figure in its place; the grid has 12 columns and 24 rows. */
export type Tile = {
  column: number;
  description?: string;
  figure: Figure;
  height: number;
  locked?: boolean;
  row: number;
  width: number;
};

/** Whether and how a queue goes by the clock. */
export type TimeCondition = {
  enabled?: boolean;
  holiday_destination?: Destination;
  ignore_holiday?: boolean;
  out_of_hours_destination?: Destination;
  play_holiday_prompt?: boolean;
  time_profile?: string;
};

/** The office hours and holidays of one time zone. */
export type TimeProfile = {
  holidays?: Array<Holiday>;
  hours?: Array<OfficeHours>;
  name: string;
  zone: string;
};

/** The SIP ladder, the decisions and the media statistics of one call, in order of time. */
export type Trace = {
  id: string;
  items: Array<TraceItem>;
};

/** One line of a call's trace. */
export type TraceItem = ({
  at: string;
  peer: string;
  received: boolean;
  summary: string;
  text: string;
  type: "sip";
} | {
  at: string;
  code: string;
  detail: string;
  type: "decision";
} | {
  at: string;
  figures: Array<Figure>;
  leg: number;
  type: "media";
});

/** Where a blind transfer goes. */
export type Transfer = {
  to: string;
};

/** The transport to a trunk. */
export type Transport = "udp" | "tcp" | "tls";

/** A line to another telephone system. */
export type Trunk = {
  accept_from?: Array<string>;
  auth?: (TrunkAuth | null);
  caller_id?: string;
  caller_ids?: Array<string>;
  calls_per_minute?: number;
  calls_per_second?: number;
  codecs?: Array<string>;
  dtmf?: DtmfMode;
  enabled?: boolean;
  encryption?: Encryption;
  host: string;
  max_calls?: number;
  mode?: TrunkMode;
  name: string;
  options_interval_secs?: number;
  port?: number;
  spend_per_day?: number;
  transport?: Transport;
  trusted_identity?: boolean;
  withholding?: boolean;
};

/** Credentials towards a trunk. */
export type TrunkAuth = {
  password?: string | null;
  username: string;
};

/** How a trunk's far end is known. */
export type TrunkMode = "peer" | "register";

/** An outbound code as the dial-pad shows it. */
export type UsableCode = {
  caller_id: string;
  category: string;
  code: string;
  description: string;
  id: string;
  leads_back: boolean;
  name: string;
  state: string;
  trunks: Array<CodeTrunk>;
};

/** The outbound codes of an extension, or all. */
export type UsableCodes = {
  codes: Array<UsableCode>;
};

/** An outbound code as it was when the call began. */
export type UsedCode = {
  code: string;
  id: string;
  name: string;
};

/** A person who signs in. */
export type User = {
  disabled?: boolean;
  extension?: string | null;
  name: string;
  password?: string | null;
  role: Role;
};

/** A caller who waits in a queue. */
export type WaitingCaller = {
  call: string;
  caller: string;
  is_callback?: boolean;
  joined_at: string;
  position: number;
  ringing: Array<string>;
};

/** A wallboard. */
export type Wallboard = {
  all?: Array<Tile>;
  name: string;
  rotation_secs?: number;
  single?: Array<Tile>;
};

/** Something that is worth a second look; it was saved all the same. */
export type Warning = {
  code: string;
  detail: string;
  pointer: string;
};
