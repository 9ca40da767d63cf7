// The phone as the page knows it: a pure reducer over what the node and the browser say.

import type { Call, PhoneCall, PhoneMessage, PhoneState } from '../api/types';

export type Duty =
  // The microphone is not asked for yet.
  | 'off'
  // The microphone or the handshake is under way.
  | 'starting'
  // Calls can come.
  | 'on'
  // Another page has the phone.
  | 'elsewhere'
  // The microphone is refused.
  | 'no-microphone';

export interface Phone {
  duty: Duty;
  // The socket to the node.
  connected: boolean;
  // The node's clock less ours, in ms.
  skew: number;
  state: PhoneState | null;
  muted: boolean;
  // Lines with a command whose reply is awaited: their buttons wait too.
  busy: ReadonlySet<number>;
  quality: Quality | null;
}

export type Quality = 'good' | 'fair' | 'poor';

export type PhoneEvent =
  | { type: 'duty'; duty: Duty }
  | { type: 'opened' }
  | { type: 'closed' }
  | { type: 'message'; message: PhoneMessage; at: number }
  | { type: 'sent'; line: number }
  | { type: 'replied'; line: number }
  | { type: 'muted'; muted: boolean }
  | { type: 'quality'; quality: Quality };

export const silent: Phone = {
  duty: 'off',
  connected: false,
  skew: 0,
  state: null,
  muted: false,
  busy: new Set(),
  quality: null,
};

export function reduce(phone: Phone, event: PhoneEvent): Phone {
  switch (event.type) {
    case 'duty': {
      const leaves = event.duty === 'off' || event.duty === 'elsewhere';
      return leaves
        ? { ...silent, duty: event.duty }
        : { ...phone, duty: event.duty };
    }
    case 'opened':
      return { ...phone, connected: true };
    case 'closed':
      // The calls stay on the screen: they go on without the socket.
      return { ...phone, connected: false, busy: new Set() };
    case 'message':
      return heard(phone, event.message, event.at);
    case 'sent':
      return { ...phone, busy: new Set([...phone.busy, event.line]) };
    case 'replied':
      return { ...phone, busy: new Set([...phone.busy].filter((line) => line !== event.line)) };
    case 'muted':
      return { ...phone, muted: event.muted };
    case 'quality':
      return { ...phone, quality: event.quality };
  }
}

function heard(phone: Phone, message: PhoneMessage, at: number): Phone {
  if (message.type !== 'phone') return phone;
  const { type: _, ...state } = message;
  const quiet = !state.calls.some((call) => call.state === 'up');
  return {
    ...phone,
    state,
    skew: Date.parse(state.now) - at,
    // The next call does not begin muted.
    muted: quiet ? false : phone.muted,
    quality: quiet ? null : phone.quality,
  };
}

export const calls = (phone: Phone): PhoneCall[] => phone.state?.calls ?? [];

// The call that the user attends to: the ringing one, else the one that is talked with.
export function foremost(phone: Phone): PhoneCall | undefined {
  const all = calls(phone);
  return (
    all.find((call) => call.state === 'ringing') ??
    all.find((call) => call.state === 'up') ??
    all.find((call) => call.state === 'held')
  );
}

// Who else is in a talk of more than two: neither who looks, nor whom the phone shows, nor a
// manager who attends it.
export function others(call: Call, own: string, shown: string): string[] {
  const parties = call.legs.filter(
    (leg) => leg.supervises === undefined && (leg.state === 'up' || leg.state === 'held'),
  );
  const rest = parties.filter((leg) => leg.party !== `extension:${own}` && leg.number !== shown);
  return parties.length > 2 ? rest.map((leg) => leg.number) : [];
}

export type Button =
  | 'answer'
  | 'decline'
  | 'hang_up'
  | 'hold'
  | 'resume'
  | 'mute'
  | 'keypad'
  | 'transfer'
  | 'join'
  | 'merge';

// What is legal now; the places of buttons do not depend on it.
export function legal(phone: Phone, call: PhoneCall): ReadonlySet<Button> {
  const others = calls(phone).some((other) => other.line !== call.line && other.state !== 'ringing');
  const buttons: Record<PhoneCall['state'], Button[]> = {
    ringing: call.outgoing ? ['hang_up'] : ['answer', 'decline'],
    up: ['hang_up', 'hold', 'mute', 'keypad', 'transfer'],
    held: ['hang_up', 'resume', 'transfer'],
  };
  const can = new Set(buttons[call.state]);
  if (call.state !== 'ringing' && others) can.add('join').add('merge');
  return can;
}

// What the last seconds' loss and jitter mean for who talks.
export function quality(lostShare: number, jitterSecs: number): Quality {
  if (lostShare > 0.05 || jitterSecs > 0.06) return 'poor';
  if (lostShare > 0.01 || jitterSecs > 0.03) return 'fair';
  return 'good';
}
