// The queue call log as the page needs it, apart from how it looks.

export type Processing = 'unprocessed' | 'processing' | 'processed';

export const STATES: readonly Processing[] = ['unprocessed', 'processing', 'processed'];

export interface Change {
  at: string;
  by: string;
  extension: string | null;
  from: Processing;
  to: Processing;
  auto_sync: boolean;
}

export interface Entry {
  id: string;
  call: string;
  queue: string;
  queue_name: string;
  caller: string;
  caller_name: string;
  outcome: 'answered' | 'missed' | 'abandoned';
  exit: string;
  callback_failure: string | null;
  joined_at: string;
  wait_secs: number;
  agent: string | null;
  talk_secs: number | null;
  state: Processing | null;
  changes: Change[];
  note: { text: string } | null;
}

export interface Sought {
  kind: '' | 'inbound' | 'missed';
  state: '' | Processing;
  queue: string;
  search: string;
}

export const everything: Sought = { kind: 'missed', state: '', queue: '', search: '' };

// The address of a page of the log; what is not sought is left out.
export function pathOf(sought: Sought, cursor = ''): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...sought, search: sought.search.trim(), cursor })) {
    if (value !== '') query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? '/api/v1/queue-log' : `/api/v1/queue-log?${text}`;
}

export const entryPath = (id: string): string => `/api/v1/queue-log/${encodeURIComponent(id)}`;

// Who does something, as people say it: `chen (1001)`.
export function operator({ by, extension }: Pick<Change, 'by' | 'extension'>): string {
  const name = by.replace(/^\w+:/, '');
  return extension === null ? name : `${name} (${extension})`;
}

// Somebody else who takes care of the call now: to be shown before it is dialled.
export function claimant(entry: Entry, me: string): Change | null {
  const newest = entry.changes[0];
  return entry.state === 'processing' && newest !== undefined && newest.by !== me ? newest : null;
}

// A call is claimed before it is dialled, unless it is in hand or done.
export function claim(entry: Entry): { state: Processing; from: Processing } | null {
  return entry.state === 'unprocessed' ? { state: 'processing', from: 'unprocessed' } : null;
}
