// Agents as they are now: what was read, brought up to date by what is read again when a fact
// about them comes.

import type { Agent, Fact } from '../api/types';

export type Shown = 'offline' | 'logged_out' | 'paused' | Agent['activity'];

// One word for an agent, the most telling first.
export function shown(agent: Agent): Shown {
  if (agent.activity !== 'idle') return agent.activity;
  if (!agent.registered) return 'offline';
  const here = agent.memberships.filter((membership) => membership.logged_in);
  if (here.length === 0) return 'logged_out';
  return here.every((membership) => membership.paused) ? 'paused' : 'idle';
}

// Whether somebody who waits could be offered to this agent now.
export const isFree = (agent: Agent, queue: string): boolean =>
  agent.registered &&
  agent.activity === 'idle' &&
  agent.memberships.some((it) => it.queue === queue && it.logged_in && !it.paused);

export interface Touched {
  agents: boolean;
  calls: boolean;
  queues: Set<string>;
  resources: Set<string>;
}

// What has to be read again after some facts.
export function touched(facts: Fact[]): Touched {
  const all: Touched = { agents: false, calls: false, queues: new Set(), resources: new Set() };
  for (const fact of facts) {
    if (fact.kind === 'agent' || fact.kind === 'registration') all.agents = true;
    else if (fact.kind === 'queue') {
      all.queues.add(fact.key);
      all.agents = true;
    } else if (fact.kind === 'call') all.calls = true;
    else all.resources.add(fact.kind);
  }
  return all;
}

// m:ss, and h:mm:ss from an hour on.
export function clock(ms: number): string {
  const secs = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(secs / 3600), Math.floor((secs % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(secs % 60)}` : `${minutes}:${two(secs % 60)}`;
}
