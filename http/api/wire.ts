// Made from the server's types; not to be edited.

/** A call of a queue that an agent talks with. */
export type ActiveCall = {
  agent: string;
  call: string;
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
  retry_interval_secs?: number;
  ring_in_use?: boolean;
  ring_timeout_secs?: number;
  wrap_up_secs?: number;
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

/** A live call. */
export type Call = {
  answered_at?: string | null;
  direction: Direction;
  from: string;
  id: string;
  legs: Array<Leg>;
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

/** The record of a call that is over. */
export type CallRecord = {
  answered_at?: string | null;
  answered_by?: string | null;
  cause: string;
  direction: Direction;
  ended_at: string;
  from: string;
  hold_secs: number;
  id: string;
  outcome: string;
  position: string;
  queue?: (QueuePassage | null);
  started_at: string;
  steps: Array<CallStep>;
  talk_secs: number;
  to: string;
  trunk?: string | null;
};

/** A step of a call through a menu, a call flow, a mailbox, a ring group or a prompt. */
export type CallStep = {
  at: string;
  detail: string;
  key: string;
  kind: string;
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

/** When a step of a call flow is done; all that is given must hold. */
export type Conditions = {
  caller?: Array<string>;
  digits?: Array<string>;
  hours?: (Hours | null);
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

/** One dial pattern of an outbound route and what is done to the number. */
export type DialRule = {
  pattern: string;
  prepend?: string;
  strip?: number;
};

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
  enabled?: boolean;
  encryption?: Encryption;
  max_contacts?: number;
  name?: string;
  number: string;
  outbound_caller_id?: string;
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

/** Hours of some days of the week. An end before the begin is on the next day. */
export type Hours = {
  days?: Array<string>;
  from: string;
  to: string;
  zone: string;
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

/** One party of a call. */
export type Leg = {
  index: number;
  number: string;
  party: string;
  since: string;
  state: LegState;
};

/** The state of a leg. */
export type LegState = "dialling" | "ringing" | "up" | "held" | "ended";

/** How a mailbox works, of an extension or of a group. */
export type MailboxOptions = {
  email?: Array<string>;
  greeting?: string;
  max_message_secs?: number;
  max_messages?: number;
};

/** One agent of a queue. */
export type Member = {
  extension: string;
  membership: Membership;
};

/** The agents of a queue, in list order. */
export type Members = {
  members: Array<Member>;
};

/** Static or dynamic agent. */
export type Membership = "static" | "dynamic";

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

/** A wish to ring an extension and, when it answers, to dial for it. */
export type Originate = {
  from: string;
  to: string;
};

/** A call that was begun. */
export type Originated = {
  id: string;
};

/** Which trunk a dialled number takes. */
export type OutboundRoute = {
  caller_id?: string;
  enabled?: boolean;
  extensions?: Array<string>;
  name: string;
  priority?: number;
  rules: Array<DialRule>;
  trunks: Array<string>;
};

/** A pause. */
export type Pause = {
  queue?: string | null;
  reason?: string | null;
};

/** What can be watched, as it is now. */
export type Picture = ({
  queue: QueueStatus;
} | {
  agents: Array<Agent>;
} | {
  calls: Array<Call>;
});

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

/** An uploaded prompt. */
export type Prompt = {
  bytes: number;
  checksum: string;
  length_secs: number;
  name: string;
};

/** What callers hear. */
export type PromptOptions = {
  hold_music?: string;
  join?: string;
  ring_after_join?: boolean;
  waiting_audio?: string;
};

/** All of them. */
export type Prompts = {
  items: Array<Prompt>;
};

/** A call queue. */
export type Queue = {
  agent?: AgentOptions;
  failover?: Destination;
  join_empty?: EmptyRule;
  leave_empty?: EmptyRule;
  max_callers?: number;
  max_wait_secs?: number;
  members?: Array<Member>;
  name: string;
  number: string;
  prompts?: PromptOptions;
  ring_strategy?: RingStrategy;
  weight?: number;
};

/** Which queue a log-in, log-out or resume is for. */
export type QueueChoice = {
  queue?: string | null;
};

/** How a call left a queue. */
export type QueuePassage = {
  agent?: string | null;
  exit: string;
  queue: string;
  wait_secs: number;
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
  total: number;
  waiting: Array<WaitingCaller>;
};

/** The node can work. If it can not, a problem names what is missing. */
export type Ready = {
  checks: Array<string>;
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
export type Role = "admin" | "manager" | "agent";

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

/** A session that was opened. The token is shown here and never again. */
export type Session = {
  expires_at: string;
  principal: Principal;
  token: string;
};

/** System-wide options. Fields that are left out get their defaults. */
export type Settings = {
  code_leave_message?: string;
  code_login_all?: string;
  code_login_last?: string;
  code_logout_all?: string;
  code_queue_login?: string;
  code_queue_pause?: string;
  code_voicemail?: string;
  dynamic_agents_start_logged_in?: boolean;
  hold_music?: string;
  language?: string;
  pause_reasons?: Record<string, string>;
  shared_wrap_up?: boolean;
  test_numbers?: TestNumbers;
};

/** A name and its password. */
export type SignIn = {
  name: string;
  password: string;
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
  transport?: Transport;
  trusted_identity?: boolean;
};

/** Credentials towards a trunk. */
export type TrunkAuth = {
  username: string;
};

/** How a trunk's far end is known. */
export type TrunkMode = "peer" | "register";

/** A person who signs in. */
export type User = {
  disabled?: boolean;
  extension?: string | null;
  name: string;
  role: Role;
};

/** A caller who waits in a queue. */
export type WaitingCaller = {
  call: string;
  caller: string;
  joined_at: string;
  position: number;
  ringing: Array<string>;
};
