import { expect, it } from 'vitest';

import { warningsOf } from './page';

it('what a saved queue is warned of is shown, other answers have nothing (Q-153, Q-192)', () => {
  const warning = { pointer: '/managers/0', code: 'no-address', detail: '1003 has no e-mail address' };

  expect(warningsOf({ number: '6400', warnings: [warning] })).toEqual([warning]);
  expect(warningsOf({ number: '1001' })).toEqual([]);
  expect(warningsOf(null)).toEqual([]);
});
