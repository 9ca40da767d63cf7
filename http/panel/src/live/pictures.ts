// Pictures of the floor: whole states that the node sends when they have changed, the newest only.
// A picture replaces the one before, so that nothing is missed and nothing is there twice.

import type { Call, QueueStatus } from '../api/types';
import { type FeedLink, pause } from './feed';

export interface Floor {
  queues: ReadonlyMap<string, QueueStatus>;
  calls: ReadonlyMap<string, Call>;
}

export const empty: Floor = { queues: new Map(), calls: new Map() };

type Picture = { queue: QueueStatus } | { calls: Call[] };

export type FloorMessage =
  | { type: 'hello' | 'problem' }
  | { type: 'snapshot'; topic: string; position: string; state: Picture | null };

const QUEUE = 'queue:';

export const topicOf = (queue: string): string => QUEUE + queue;

export function draw(floor: Floor, message: FloorMessage): Floor {
  if (message.type !== 'snapshot') return floor;
  const { topic, state } = message;
  if (topic === 'calls') {
    const calls = state !== null && 'calls' in state ? state.calls : [];
    return { ...floor, calls: new Map(calls.map((call) => [call.id, call])) };
  }
  if (!topic.startsWith(QUEUE)) return floor;
  const queues = new Map(floor.queues);
  const number = topic.slice(QUEUE.length);
  if (state !== null && 'queue' in state) queues.set(number, state.queue);
  else queues.delete(number);
  return { ...floor, queues };
}

// What is not watched any more is not shown either.
export function keep(floor: Floor, topics: readonly string[]): Floor {
  const kept = [...floor.queues].filter(([number]) => topics.includes(topicOf(number)));
  return { queues: new Map(kept), calls: topics.includes('calls') ? floor.calls : empty.calls };
}

// A page is not told of pings: it asks anew after a while, and takes silence for a break.
const ASK_EVERY = 20_000;
const SILENCE = 8_000;
// The token does not hold: it may again, when somebody has mended it.
const UNAUTHENTICATED = 4001;
const REFUSED_PAUSE = 60_000;

// Watches topics over a socket that comes back by itself, for months.
export class Watcher {
  readonly #token: string;
  readonly #onLink: (link: FeedLink) => void;
  readonly #listeners = new Set<() => void>();
  #floor = empty;
  #topics: readonly string[] = [];
  #socket: WebSocket | null = null;
  #attempt = 0;
  #since = 0;
  #heard = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(token: string, onLink: (link: FeedLink) => void) {
    this.#token = token;
    this.#onLink = onLink;
    this.#open();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): Floor => this.#floor;

  watch(topics: readonly string[]): void {
    this.#topics = topics;
    this.#show(keep(this.#floor, topics));
    this.#ask();
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #show(floor: Floor): void {
    this.#floor = floor;
    for (const listener of this.#listeners) listener();
  }

  #open(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/events`, ['tandem', `bearer.${this.#token}`]);
    this.#socket = socket;
    // A socket that never opens is given up like one that falls silent.
    this.#wait(() => this.#lost(socket, 0), SILENCE);
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#heard += 1;
      const message = JSON.parse(String(event.data)) as FloorMessage;
      if (message.type === 'hello') {
        this.#attempt = 0;
        this.#onLink({ state: 'live' });
        this.#ask();
      }
      // A queue was removed a moment ago: what is to be watched is told again soon.
      if (message.type === 'problem') this.#wait(() => this.#ask(), 2_000);
      const drawn = draw(this.#floor, message);
      if (drawn !== this.#floor) this.#show(drawn);
    };
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  #ask(): void {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: 'watch', topics: this.#topics }));
    const heard = this.#heard;
    this.#wait(() => {
      if (this.#topics.length > 0 && this.#heard === heard) this.#lost(socket, 0);
      else this.#wait(() => this.#ask(), ASK_EVERY);
    }, SILENCE);
  }

  #lost(socket: WebSocket, code: number): void {
    if (this.#isOver || socket !== this.#socket) return;
    socket.onclose = null;
    socket.close();
    this.#socket = null;
    if (this.#attempt === 0) this.#since = Date.now();
    this.#onLink({ state: 'reconnecting', since: this.#since });
    const wait = code === UNAUTHENTICATED ? REFUSED_PAUSE : pause(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#wait(() => this.#open(), wait);
  }

  // One thing is waited for at a time.
  #wait(then: () => void, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !this.#isOver && then(), ms);
  }
}
