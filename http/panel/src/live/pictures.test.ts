import { describe, expect, it } from 'vitest';

import type { QueueStatus } from '../api/types';
import { draw, empty, type Floor, keep, topicOf } from './pictures';

const queue = (number: string, total = 0): QueueStatus => ({
  number,
  name: number,
  waiting: [],
  active: [],
  agents: [],
  total,
  answered: 0,
  missed: 0,
  abandoned: 0,
  service_level: { percent: 0, in_time: 0, total: 0, within_secs: 60, threshold_percent: 80 },
});

const seen = (floor: Floor, number: string, total: number): Floor =>
  draw(floor, { type: 'snapshot', topic: topicOf(number), position: '0:1', state: { queue: queue(number, total) } });

describe('pictures of the floor', () => {
  it('the newest picture of a queue replaces the one before and leaves the others', () => {
    const floor = seen(seen(seen(empty, '6400', 1), '6401', 5), '6400', 2);

    expect([...floor.queues.values()].map((it) => [it.number, it.total])).toEqual([
      ['6400', 2],
      ['6401', 5],
    ]);
  });

  it('a queue that is gone, or not watched any more, is not shown', () => {
    const floor = seen(seen(empty, '6400', 1), '6401', 5);

    const gone = draw(floor, { type: 'snapshot', topic: topicOf('6400'), position: '0:2', state: null });

    expect([...gone.queues.keys()]).toEqual(['6401']);
    expect([...keep(floor, [topicOf('6400')]).queues.keys()]).toEqual(['6400']);
  });

  it('what is no picture changes nothing', () => {
    expect(draw(empty, { type: 'hello' })).toBe(empty);
  });
});
