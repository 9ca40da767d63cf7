// The outward types that the panel uses, as the node's OpenAPI document has them.

export interface FieldProblem {
  pointer: string;
  code: string;
  detail: string;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
  errors?: FieldProblem[];
}

export type Role = 'admin' | 'manager' | 'agent' | 'wallboard';

export interface Principal {
  name: string;
  role: Role;
  extension?: string | null;
}

export interface Session {
  token: string;
  expires_at: string;
  principal: Principal;
}

export interface Membership {
  queue: string;
  membership: 'static' | 'dynamic';
  logged_in: boolean;
  login_changed_at: string | null;
  paused: boolean;
  pause_reason: string | null;
}

export type Activity = 'idle' | 'ringing' | 'talking' | 'wrap_up';

export interface Agent {
  extension: string;
  activity: Activity;
  since: string;
  registered: boolean;
  wrap_up_until?: string | null;
  memberships: Membership[];
}

export interface WaitingCaller {
  call: string;
  caller: string;
  position: number;
  joined_at: string;
  ringing: string[];
  is_callback?: boolean;
}

export interface ActiveCall {
  call: string;
  agent: string;
  since: string;
  is_callback?: boolean;
}

export interface QueueStatus {
  number: string;
  name: string;
  waiting: WaitingCaller[];
  active: ActiveCall[];
  agents: Agent[];
  total: number;
  answered: number;
  missed: number;
  abandoned: number;
  service_level: ServiceLevel;
}

export interface ServiceLevel {
  percent: number;
  in_time: number;
  total: number;
  within_secs: number;
  threshold_percent: number;
}

export interface Leg {
  index: number;
  party: string;
  number: string;
  state: string;
  since: string;
  // A manager's, who attends the talk.
  supervises?: Supervision;
}

export type Supervision = 'listen' | 'whisper' | 'barge';

export interface Call {
  id: string;
  direction: string;
  from: string;
  to: string;
  started_at: string;
  answered_at?: string | null;
  queue?: string | null;
  legs: Leg[];
}

export interface CallRecord {
  id: string;
  direction: string;
  from: string;
  to: string;
  started_at: string;
  ended_at: string;
  outcome: string;
  cause: string;
  talk_secs: number;
  answered_by?: string | null;
  note?: NoteWriting | null;
  queue?: { number?: string; queue?: string; agent?: string | null; wait_secs: number; exit: string } | null;
}

export interface NoteWriting {
  at: string;
  by: string;
  text: string;
  tags: string[];
}

export interface CallNote {
  newest: NoteWriting | null;
  earlier: NoteWriting[];
}

export type TraceItem =
  | { type: 'sip'; at: string; received: boolean; peer: string; summary: string; text: string }
  | { type: 'decision'; at: string; code: string; detail: string }
  | { type: 'media'; at: string; leg: number; figures: { name: string; value: string }[] };

export interface Page<T> {
  items: T[];
  next?: string | null;
}

export interface PhoneCall {
  line: number;
  call: string;
  state: 'ringing' | 'up' | 'held';
  outgoing: boolean;
  number: string;
  caller_name: string;
  since: string;
}

export type PhoneLink = 'connecting' | 'up' | 'down' | 'failed';

export interface PhoneState {
  now: string;
  link: PhoneLink;
  calls: PhoneCall[];
  transfer_failed: number | null;
}

export type PhoneCommand =
  | { name: 'connect'; offer: string }
  | { name: 'dial'; to: string }
  | { name: 'answer' | 'decline' | 'hang_up' | 'hold' | 'resume'; line: number }
  | { name: 'transfer'; line: number; to: string }
  | { name: 'join' | 'merge'; line: number; with: number };

export interface IceServer {
  urls: string[];
  username: string;
  credential: string;
}

export type PhoneMessage =
  | { type: 'hello'; extension: string; ice_servers?: IceServer[] }
  | { type: 'reply'; id: number; answer?: string; call?: string; problem?: Problem }
  | ({ type: 'phone' } & PhoneState)
  | { type: 'problem'; problem: Problem };

export interface Fact {
  position: string;
  at: string;
  kind: string;
  key: string;
  name: string;
  data: unknown;
}

export type Figure =
  | 'clock'
  | 'waiting'
  | 'longest_wait'
  | 'active'
  | 'idle_agents'
  | 'logged_in_agents'
  | 'answered'
  | 'total'
  | 'missed'
  | 'abandoned'
  | 'answered_rate'
  | 'missed_rate'
  | 'abandoned_rate'
  | 'waiting_callbacks'
  | 'service_level';

export interface Tile {
  figure: Figure;
  column: number;
  row: number;
  width: number;
  height: number;
  locked: boolean;
  description: string;
}

// Queues that a user looks at together.
export interface QueueGroup {
  name: string;
  queues: string[];
  alarm_threshold_percent: number;
}

// What a user has arranged for themselves.
export interface Console {
  name: string;
  groups: QueueGroup[];
  alarm_threshold_percent: number;
  all: Tile[];
  single: Tile[];
  rotation_secs: number;
}

export interface Wallboard {
  name: string;
  all: Tile[];
  single: Tile[];
  rotation_secs: number;
}
