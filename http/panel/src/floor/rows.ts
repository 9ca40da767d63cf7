// What the queue panel shows, made of pictures: rows with keys that no other row has.

import type { Agent, Call, QueueStatus, Supervision } from '../api/types';
import { isFree } from '../live/floor';
import { levelOf } from './scopes';

export interface WaitingRow {
  key: string;
  call: string;
  queue: string;
  caller: string;
  position: number;
  since: string;
  ringing: string[];
  isCallback: boolean;
  line: 'inside' | 'outside';
}

export interface ActiveRow {
  key: string;
  call: string;
  queue: string;
  caller: string;
  agent: string;
  since: string;
  isHeld: boolean;
  isCallback: boolean;
  line: 'inside' | 'outside';
  // Managers who attend the talk.
  watched: { by: string; mode: Supervision }[];
}

export interface AgentRow {
  key: string;
  queue: string;
  name: string;
  agent: Agent;
}

type Calls = ReadonlyMap<string, Call>;

const lineOf = (call: Call | undefined): 'inside' | 'outside' =>
  call?.direction === 'internal' ? 'inside' : 'outside';

// Those whose phones only ring do not attend yet.
const watchedBy = (call: Call | undefined): ActiveRow['watched'] =>
  (call?.legs ?? []).flatMap((leg) =>
    leg.supervises !== undefined && (leg.state === 'up' || leg.state === 'held')
      ? [{ by: leg.number, mode: leg.supervises }]
      : [],
  );

export function waitingOf(queues: QueueStatus[], calls: Calls): WaitingRow[] {
  const rows = queues.flatMap((queue) =>
    queue.waiting.map((it) => ({
      key: `${queue.number}:${it.call}`,
      call: it.call,
      queue: queue.number,
      caller: it.caller,
      position: it.position,
      since: it.joined_at,
      ringing: it.ringing,
      isCallback: it.is_callback === true,
      line: lineOf(calls.get(it.call)),
    })),
  );
  // Over several queues the longest wait first; in one the queue's own order.
  return queues.length === 1 ? rows : rows.sort((a, b) => Date.parse(a.since) - Date.parse(b.since));
}

export function activeOf(queues: QueueStatus[], calls: Calls): ActiveRow[] {
  return queues.flatMap((queue) =>
    queue.active.map((it) => {
      const call = calls.get(it.call);
      return {
        key: `${queue.number}:${it.call}`,
        call: it.call,
        queue: queue.number,
        caller: call?.from ?? '–',
        agent: it.agent,
        since: it.since,
        isHeld: call?.legs.some((leg) => leg.state === 'held' && leg.supervises === undefined) === true,
        isCallback: it.is_callback === true,
        line: lineOf(call),
        watched: watchedBy(call),
      };
    }),
  );
}

export interface AgentFilter {
  search: string;
  working: boolean;
}

// working is who has a phone and is logged in, paused or not.
export function agentsOf(queues: QueueStatus[], names: ReadonlyMap<string, string>, filter: AgentFilter): AgentRow[] {
  const wanted = filter.search.trim().toLowerCase();
  return queues.flatMap((queue) =>
    queue.agents.flatMap((agent) => {
      const name = names.get(agent.extension) ?? '';
      const fits = wanted === '' || `${agent.extension} ${name}`.toLowerCase().includes(wanted);
      const here = agent.memberships.find((it) => it.queue === queue.number);
      const works = agent.registered && here?.logged_in === true;
      if (!fits || (filter.working && !works)) return [];
      return [{ key: `${queue.number}:${agent.extension}`, queue: queue.number, name, agent }];
    }),
  );
}

export interface Sums {
  waiting: number;
  oldest: number | null;
  active: number;
  free: number;
  loggedIn: number;
  agents: number;
  total: number;
  answered: number;
  missed: number;
  abandoned: number;
  callbacks: number;
  // The service level, 0 to 1.
  level: number;
}

export function sumsOf(queues: QueueStatus[]): Sums {
  const all = <T>(of: (queue: QueueStatus) => T[]): T[] => queues.flatMap(of);
  const sum = (of: (queue: QueueStatus) => number) => queues.reduce((total, queue) => total + of(queue), 0);
  const line = all((queue) => queue.waiting);
  // Who is to be called back has a figure of its own.
  const callers = line.filter((it) => it.is_callback !== true);
  const joined = callers.map((it) => Date.parse(it.joined_at));
  const isIn = (queue: QueueStatus) => (agent: Agent) =>
    agent.memberships.some((it) => it.queue === queue.number && it.logged_in);
  return {
    waiting: callers.length,
    oldest: joined.length === 0 ? null : Math.min(...joined),
    active: sum((queue) => queue.active.length),
    free: sum((queue) => queue.agents.filter((agent) => isFree(agent, queue.number)).length),
    loggedIn: sum((queue) => queue.agents.filter(isIn(queue)).length),
    agents: sum((queue) => queue.agents.length),
    total: sum((queue) => queue.total),
    answered: sum((queue) => queue.answered),
    missed: sum((queue) => queue.missed),
    abandoned: sum((queue) => queue.abandoned),
    callbacks: line.length - callers.length,
    level: levelOf(queues, 0).share,
  };
}

export const percent = (share: number, language: string): string =>
  new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(share);
