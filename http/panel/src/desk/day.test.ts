import { describe, expect, it } from 'vitest';

import type { CallRecord } from '../api/types';
import { dayOf, midnight } from './day';

const record = (some: Partial<CallRecord>): CallRecord => ({
  id: 'x',
  direction: 'inbound',
  from: '0912000111',
  to: '6400',
  started_at: '2026-01-05T09:00:00Z',
  ended_at: '2026-01-05T09:03:00Z',
  outcome: 'answered',
  cause: '',
  talk_secs: 60,
  ...some,
});

const served = { queue: '6400', agent: '1001', wait_secs: 1, exit: 'answered' };

describe('the own day', () => {
  it('counts what was answered, missed and placed, and the talk of them', () => {
    const day = dayOf(
      [
        record({ answered_by: '1001', talk_secs: 30 }),
        // Handed on to a colleague, from a queue.
        record({ answered_by: '1002', queue: served, talk_secs: 90 }),
        record({ from: '1001', to: '1005', answered_by: '1005', talk_secs: 60 }),
        record({ from: '1001', to: '1005', outcome: 'no_answer', talk_secs: 0 }),
        record({ to: '1001', outcome: 'no_answer', talk_secs: 0 }),
        record({ to: '1001', outcome: 'voicemail', talk_secs: 0 }),
      ],
      '1001',
    );

    expect(day).toEqual({ answered: 2, missed: 2, placed: 2, talkSecs: 180, averageSecs: 60 });
  });

  it('has no average before the first talk', () => {
    expect(dayOf([record({ to: '1001', outcome: 'cancelled', talk_secs: 0 })], '1001').averageSecs).toBeNull();
    expect(dayOf([], '1001')).toEqual({ answered: 0, missed: 0, placed: 0, talkSecs: 0, averageSecs: null });
  });

  it('begins at midnight where the agent is', () => {
    const began = midnight(new Date(2026, 0, 5, 17, 30));

    expect([began.getDate(), began.getHours(), began.getMinutes()]).toEqual([5, 0, 0]);
  });
});
