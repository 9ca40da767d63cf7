import { describe, expect, it } from 'vitest';

import type { Call, Leg, PhoneCall, PhoneState } from '../api/types';
import { foremost, legal, others, type Phone, quality, reduce, silent } from './phone';

const call = (line: number, state: PhoneCall['state'], outgoing = false): PhoneCall => ({
  line,
  call: `c${line}`,
  state,
  outgoing,
  number: '1000',
  caller_name: '',
  since: '2026-01-05T09:00:00.000Z',
});

const state = (...calls: PhoneCall[]): PhoneState => ({
  now: '2026-01-05T09:00:10.000Z',
  link: 'up',
  calls,
  transfer_failed: null,
});

const heard = (phone: Phone, shown: PhoneState): Phone =>
  reduce(phone, { type: 'message', message: { type: 'phone', ...shown }, at: Date.parse(shown.now) - 2_000 });

describe('the phone', () => {
  it('shows the state of the node, newest whole, and knows how far the clocks are apart', () => {
    const phone = heard(heard(silent, state(call(1, 'ringing'))), state(call(1, 'up')));

    expect(phone.state?.calls.map((it) => it.state)).toEqual(['up']);
    expect(phone.skew).toBe(2_000);
  });

  it('keeps calls on the screen while the socket is away, and lets buttons go', () => {
    const busy = reduce(heard(silent, state(call(1, 'up'))), { type: 'sent', line: 1 });

    const away = reduce(busy, { type: 'closed' });

    expect(away.state?.calls).toHaveLength(1);
    expect(away.busy.size).toBe(0);
  });

  it('attends to what rings before what is talked with', () => {
    const phone = heard(silent, state(call(1, 'up'), call(2, 'ringing'), call(3, 'held')));

    expect(foremost(phone)?.line).toBe(2);
  });

  it('allows what the state allows and joins only where there is another party', () => {
    const one = heard(silent, state(call(1, 'up')));
    const two = heard(silent, state(call(1, 'up'), call(2, 'held')));

    expect([...legal(one, call(9, 'ringing'))]).toEqual(['answer', 'decline', ]);
    expect(legal(one, call(1, 'up')).has('join')).toBe(false);
    expect(legal(two, call(1, 'up')).has('join')).toBe(true);
    expect(legal(one, call(1, 'up')).has('merge')).toBe(false);
    expect(legal(two, call(1, 'up')).has('merge')).toBe(true);
    expect(legal(two, call(2, 'held')).has('hold')).toBe(false);
  });

  it('is not muted any more when nobody is talked with', () => {
    const muted = reduce(heard(silent, state(call(1, 'up'))), { type: 'muted', muted: true });

    expect(heard(muted, state(call(1, 'up'))).muted).toBe(true);
    expect(heard(muted, state()).muted).toBe(false);
  });

  it('forgets everything when another page has the phone', () => {
    const on = heard(reduce(silent, { type: 'duty', duty: 'on' }), state(call(1, 'up')));

    expect(reduce(on, { type: 'duty', duty: 'elsewhere' }).state).toBeNull();
  });

  it('says what loss and jitter mean', () => {
    expect(quality(0, 0.005)).toBe('good');
    expect(quality(0.02, 0)).toBe('fair');
    expect(quality(0, 0.07)).toBe('poor');
  });

  it('names who else is in a talk of more than two, and no manager who attends it', () => {
    const leg = (party: string, more: Partial<Leg> = {}): Leg => {
      const number = party.replace(/^\w+:/, '');
      return { index: 0, party, number, state: 'up', since: '', ...more };
    };
    const talk = (...legs: Leg[]): Call => ({ id: 'a', direction: 'internal', from: '1000', to: '6400', started_at: '', legs });
    const [own, caller, third] = [leg('extension:1001'), leg('extension:1000'), leg('extension:1002', { state: 'held' })];
    const manager = leg('extension:1003', { supervises: 'barge' });

    expect(others(talk(caller, own, third), '1001', '1000')).toEqual(['1002']);
    expect(others(talk(caller, own, manager), '1001', '1000')).toEqual([]);
    expect(others(talk(caller, own, leg('extension:1004', { state: 'ringing' })), '1001', '1000')).toEqual([]);
  });
});
