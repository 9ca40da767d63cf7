import { describe, expect, it } from 'vitest';

import type { Agent, Fact } from '../api/types';
import { Cutter, pause, pauseWithCall } from './feed';
import { clock, isFree, shown, touched } from './floor';

const event = (position: string, kind = 'agent', key = '1001') =>
  `id: ${position}\nevent: x\ndata: ${JSON.stringify({ position, at: '', kind, key, name: 'x', data: {} })}\n\n`;

describe('the feed', () => {
  it('takes events however they are cut', () => {
    const cutter = new Cutter();
    const text = event('0:1') + event('0:2');

    const facts = [...text].flatMap((letter) => cutter.push(letter));

    expect(facts.map((fact) => fact.position)).toEqual(['0:1', '0:2']);
    expect(cutter.position).toBe('0:2');
  });

  it('reads no fact twice and keeps no half of one over a break', () => {
    const cutter = new Cutter();
    cutter.push(event('0:1') + 'id: 0:2\nda');
    cutter.cut();

    const facts = cutter.push(event('0:1') + event('0:2'));

    expect(facts.map((fact) => fact.position)).toEqual(['0:2']);
  });

  it('resumes after the greeting even if no fact came', () => {
    const cutter = new Cutter();

    expect(cutter.push('event: hello\nid: 0:7\ndata: {}\n\n')).toEqual([]);
    expect(cutter.position).toBe('0:7');
  });

  it('waits longer each time, to a bound, and not all panels alike', () => {
    expect(pause(0, 0)).toBe(500);
    expect(pause(3, 0)).toBe(4_000);
    expect(pause(20, 0)).toBe(10_000);
    expect(pause(0, 1)).toBe(750);
  });

  it('is tried again at once while a caller hears nothing, for 10 s', () => {
    expect(pauseWithCall(0, 0)).toBe(250);
    expect(pauseWithCall(39, 1)).toBe(375);
    expect(pauseWithCall(40, 0)).toBe(10_000);
  });
});

const agent = (change: Partial<Agent>): Agent => ({
  extension: '1001',
  activity: 'idle',
  since: '',
  registered: true,
  memberships: [
    { queue: '6400', membership: 'dynamic', logged_in: true, login_changed_at: null, paused: false, pause_reason: null },
  ],
  ...change,
});

describe('an agent', () => {
  const membership = agent({}).memberships[0]!;

  it('is shown by the most telling word', () => {
    expect(shown(agent({}))).toBe('idle');
    expect(shown(agent({ registered: false }))).toBe('offline');
    expect(shown(agent({ registered: false, activity: 'talking' }))).toBe('talking');
    expect(shown(agent({ memberships: [{ ...membership, logged_in: false }] }))).toBe('logged_out');
    expect(shown(agent({ memberships: [{ ...membership, paused: true }] }))).toBe('paused');
  });

  it('is free for the queues in which nothing keeps them', () => {
    expect(isFree(agent({}), '6400')).toBe(true);
    expect(isFree(agent({}), '6401')).toBe(false);
    expect(isFree(agent({ activity: 'wrap_up' }), '6400')).toBe(false);
  });
});

describe('facts', () => {
  it('say what has to be read again', () => {
    const fact = (kind: string, key: string): Fact => ({ position: '', at: '', kind, key, name: '', data: null });

    const all = touched([fact('queue', '6400'), fact('call', 'a'), fact('extension', '1001')]);

    expect(all.queues).toEqual(new Set(['6400']));
    expect([all.agents, all.calls]).toEqual([true, true]);
    expect(all.resources).toEqual(new Set(['extension']));
  });
});

describe('the clock', () => {
  it('shows minutes, and hours when there are any', () => {
    expect(clock(61_500)).toBe('1:01');
    expect(clock(3_661_000)).toBe('1:01:01');
    expect(clock(-5)).toBe('0:00');
  });
});
