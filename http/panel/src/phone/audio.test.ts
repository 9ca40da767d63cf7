import { describe, expect, it } from 'vitest';

import { reach } from './audio';

describe('the way to the node', () => {
  it('leads by the servers that the node names, with their credentials', () => {
    const turn = { urls: ['turn:turn.example.com:3478'], username: '1700086400:1001', credential: 'B0ip' };

    expect(reach([turn])).toEqual({ bundlePolicy: 'max-bundle', iceServers: [turn] });
  });

  it('leads straight to it where it names none', () => {
    expect(reach([]).iceServers).toEqual([]);
  });
});
