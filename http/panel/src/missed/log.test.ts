import { describe, expect, it } from 'vitest';

import { type Change, claim, claimant, type Entry, entryPath, everything, operator, pathOf } from './log';

const change = (by: string, to: Change['to'] = 'processing'): Change => ({
  at: '2026-01-05T09:04:00.000Z',
  by,
  extension: '1001',
  from: 'unprocessed',
  to,
  auto_sync: false,
});

const entry = (state: Entry['state'], changes: Change[] = []): Entry => ({
  id: '0:4711',
  call: 'c',
  queue: '6400',
  queue_name: 'Sales',
  caller: '0912000111',
  caller_name: '',
  outcome: 'missed',
  exit: 'max_wait',
  callback_failure: null,
  joined_at: '2026-01-05T09:00:00.000Z',
  wait_secs: 60,
  agent: null,
  talk_secs: null,
  state,
  changes,
  note: null,
});

describe('what is asked of the node', () => {
  it('is only what is sought (Q-522)', () => {
    expect(pathOf(everything)).toBe('/api/v1/queue-log?kind=missed');
    expect(pathOf({ kind: '', state: '', queue: '', search: '  ' })).toBe('/api/v1/queue-log');
    expect(pathOf({ kind: 'missed', state: 'processing', queue: '6400', search: 'a b&c' }, 'MDo0')).toBe(
      '/api/v1/queue-log?kind=missed&state=processing&queue=6400&search=a+b%26c&cursor=MDo0',
    );
    expect(entryPath('0:4711')).toBe('/api/v1/queue-log/0%3A4711');
  });
});

describe('who takes care of a call', () => {
  it('is said with name and extension (Q-526)', () => {
    expect(operator(change('user:chen'))).toBe('chen (1001)');
    expect(operator({ by: 'token:crm', extension: null })).toBe('crm');
  });

  it('is shown before somebody else dials (Q-539)', () => {
    const claimed = entry('processing', [change('user:chen'), change('user:lin')]);
    expect(claimant(claimed, 'user:lin')?.by).toBe('user:chen');
    expect(claimant(claimed, 'user:chen')).toBeNull();
    expect(claimant(entry('processed', [change('user:chen', 'processed')]), 'user:lin')).toBeNull();
    expect(claimant(entry('unprocessed'), 'user:lin')).toBeNull();
  });

  it('claims a call that nobody has', () => {
    expect(claim(entry('unprocessed'))).toEqual({ state: 'processing', from: 'unprocessed' });
    expect(claim(entry('processing', [change('user:chen')]))).toBeNull();
    expect(claim(entry('processed'))).toBeNull();
    expect(claim(entry(null))).toBeNull();
  });
});
