import { describe, expect, it } from 'vitest';

import type { Console, QueueStatus } from '../api/types';
import { groupOf, isSingle, known, levelOf, numbersOf, scopeOfGroup, scopes, thresholdOf } from './scopes';

const all = [
  { number: '6400', name: 'Sales' },
  { number: '6401', name: 'Service' },
  { number: '6402', name: 'Spare' },
];
const groups = [{ name: 'Front', queues: ['6401', '6499', '6400'], alarm_threshold_percent: 70 }];
const front = scopeOfGroup('Front');
const console: Console = { name: 'boss', groups, alarm_threshold_percent: 90, all: [], single: [], rotation_secs: 30 };

const queue = (in_time: number, total: number, threshold_percent = 50): QueueStatus => ({
  number: '6400',
  name: 'Sales',
  waiting: [],
  active: [],
  agents: [],
  total,
  answered: 0,
  missed: 0,
  abandoned: 0,
  service_level: { percent: 0, in_time, total, within_secs: 60, threshold_percent },
});

describe('what of the floor is shown', () => {
  it('q_451 is all queues, a group in its own order, or one queue', () => {
    expect(scopes('All', all, groups).map((it) => it.name)).toEqual([
      'All',
      'Front',
      'Sales [6400]',
      'Service [6401]',
      'Spare [6402]',
    ]);
    expect(numbersOf('', all, groups)).toEqual(['6400', '6401', '6402']);
    expect(numbersOf(front, all, groups)).toEqual(['6401', '6400']);
    expect(numbersOf('6402', all, groups)).toEqual(['6402']);
    expect([groupOf(front), isSingle(front), isSingle('6400'), isSingle('')]).toEqual(['Front', false, true, false]);
    expect([known(front, []), known(front, groups), known('6400', [])]).toEqual(['', front, '6400']);
  });

  it('q_453 q_247 the alarm is by the threshold of what is shown', () => {
    expect(thresholdOf('', [queue(0, 0)], console)).toBe(90);
    expect(thresholdOf(front, [queue(0, 0)], console)).toBe(70);
    expect(thresholdOf('6400', [queue(0, 0, 55)], console)).toBe(55);
  });

  it('q_456 q_246 the level of several queues is one sum by the other, and nothing without calls', () => {
    expect(levelOf([queue(3, 4), queue(5, 6)], 80)).toEqual({ share: 0.8, isAlarm: false });
    expect(levelOf([queue(3, 4), queue(5, 6)], 81).isAlarm).toBe(true);
    expect(levelOf([queue(0, 0)], 100)).toEqual({ share: 0, isAlarm: false });
  });
});
