import { describe, expect, it } from 'vitest';

import type { Agent, Call, QueueStatus } from '../api/types';
import { activeOf, agentsOf, sumsOf, waitingOf } from './rows';

const agent = (extension: string, more: Partial<Agent> = {}): Agent => ({
  extension,
  activity: 'idle',
  since: '2026-01-05T09:00:00.000Z',
  registered: true,
  memberships: [
    {
      queue: '6400',
      membership: 'dynamic',
      logged_in: true,
      login_changed_at: null,
      paused: false,
      pause_reason: null,
    },
  ],
  ...more,
});

const queue = (number: string, more: Partial<QueueStatus> = {}): QueueStatus => ({
  number,
  name: 'Sales',
  waiting: [],
  active: [],
  agents: [],
  total: 0,
  answered: 0,
  missed: 0,
  abandoned: 0,
  service_level: { percent: 0, in_time: 0, total: 0, within_secs: 60, threshold_percent: 80 },
  ...more,
});

const waiting = (call: string, second: number, more = {}) => ({
  call,
  caller: `0${call}`,
  position: 1,
  joined_at: `2026-01-05T09:00:0${second}.000Z`,
  ringing: [],
  ...more,
});

const call = (id: string, state: string): Call => ({
  id,
  direction: 'internal',
  from: '1000',
  to: '6400',
  started_at: '',
  legs: [{ index: 0, party: 'extension:1000', number: '1000', state, since: '' }],
});

describe('the rows of the queue panel', () => {
  it('over several queues the longest wait comes first and each row has its own key', () => {
    const queues = [
      queue('6400', { waiting: [waiting('b', 3), waiting('c', 5)] }),
      queue('6401', { waiting: [waiting('b', 1)] }),
    ];

    const rows = waitingOf(queues, new Map());

    expect(rows.map((it) => it.key)).toEqual(['6401:b', '6400:b', '6400:c']);
  });

  it('a talk shows who called and whether they are on hold', () => {
    const queues = [queue('6400', { active: [{ call: 'a', agent: '1001', since: '' }] })];

    const rows = activeOf(queues, new Map([['a', call('a', 'held')]]));

    expect(rows).toMatchObject([{ caller: '1000', agent: '1001', isHeld: true, line: 'inside' }]);
  });

  it('q_464 only working agents are shown when that is asked for, and a search finds names', () => {
    const out = agent('1002', { memberships: [] });
    const off = agent('1003', { registered: false });
    const queues = [queue('6400', { agents: [agent('1001'), out, off] })];
    const names = new Map([['1003', 'Chen']]);
    const found = (search: string, working: boolean) =>
      agentsOf(queues, names, { search, working }).map((it) => it.agent.extension);

    expect(found('', true)).toEqual(['1001']);
    expect(found('chen', false)).toEqual(['1003']);
    expect(found('', false)).toEqual(['1001', '1002', '1003']);
  });

  it('q_433 vector 15: a paused agent alone in its queue is logged in and not idle', () => {
    const here = { queue: '6400', membership: 'dynamic' as const, logged_in: true, paused: true };
    const paused = agent('1001', { memberships: [{ ...here, login_changed_at: null, pause_reason: null }] });

    expect(sumsOf([queue('6400', { agents: [paused] })])).toMatchObject({ free: 0, loggedIn: 1, agents: 1 });
  });

  it('q_414 who waits to be called back is not counted as waiting', () => {
    const line = [waiting('a', 1, { is_callback: true }), waiting('b', 4)];

    const sums = sumsOf([queue('6400', { waiting: line, agents: [agent('1001'), agent('1002', { memberships: [] })] })]);

    expect(sums).toMatchObject({ waiting: 1, callbacks: 1, free: 1, loggedIn: 1, agents: 2 });
    expect(sums.oldest).toBe(Date.parse('2026-01-05T09:00:04.000Z'));
  });
});
