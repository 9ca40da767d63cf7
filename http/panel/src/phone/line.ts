// The phone of this page: a socket to the node, the audio, and the state that the screen shows.

import { Refused } from '../api/client';
import type { IceServer, PhoneCommand, PhoneMessage } from '../api/types';
import { pause, pauseWithCall } from '../live/feed';
import { calls, foremost, type Phone, type PhoneEvent, reduce, silent } from '../live/phone';
import { Audio, type Devices } from './audio';
import { ring } from './ring';

const REPLACED = 4009;
const KEY = 'tandem.duty';
const DEVICES = 'tandem.devices';
// How long the node may take to answer an offer of audio.
const ANSWERS_WITHIN_MS = 6_000;
// How long it may take to greet: a machine without power refuses no connection, and the browser
// would wait for it for minutes.
const GREETS_WITHIN_MS = 3_000;

type Reply = Extract<PhoneMessage, { type: 'reply' }>;

export class Line {
  readonly #token: string;
  readonly #speaker: HTMLAudioElement;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  #phone: Phone = silent;
  #socket: WebSocket | null = null;
  #audio: Audio | null = null;
  #nextId = 1;
  #attempt = 0;
  #greeting: ReturnType<typeof setTimeout> | undefined;
  #stopRing: (() => void) | null = null;
  // Rises with every start and stop: what an earlier one still waits for is not wanted.
  #era = 0;

  constructor(token: string, speaker: HTMLAudioElement) {
    this.#token = token;
    this.#speaker = speaker;
    if (sessionStorage.getItem(KEY) === 'on') void this.start();
  }

  get phone(): Phone {
    return this.#phone;
  }

  get microphone(): MediaStream | null {
    return this.#audio?.stream ?? null;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): Phone => this.#phone;

  async start(): Promise<void> {
    this.#era += 1;
    const era = this.#era;
    sessionStorage.setItem(KEY, 'on');
    this.#tell({ type: 'duty', duty: 'starting' });
    this.#open(era);
  }

  stop(duty: 'off' | 'elsewhere' | 'no-microphone' = 'off'): void {
    this.#era += 1;
    clearTimeout(this.#greeting);
    sessionStorage.removeItem(KEY);
    this.#socket?.close();
    this.#socket = null;
    this.#audio?.close();
    this.#audio = null;
    this.#fail();
    this.#tell({ type: 'duty', duty });
  }

  // Asks the node for something; rejected with its problem.
  async ask(command: PhoneCommand): Promise<Reply> {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) {
      throw new Refused({ title: '', status: 0, detail: '', code: 'unreachable' });
    }
    const id = this.#nextId;
    this.#nextId += 1;
    const line = 'line' in command ? command.line : null;
    if (line !== null) this.#tell({ type: 'sent', line });
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ type: 'command', id, command }));
      });
      if (reply.problem !== undefined) throw new Refused(reply.problem);
      return reply;
    } finally {
      if (line !== null) this.#tell({ type: 'replied', line });
    }
  }

  mute(muted: boolean): void {
    this.#audio?.mute(muted);
    this.#tell({ type: 'muted', muted });
  }

  press(digit: string): void {
    this.#audio?.press(digit);
  }

  async use(devices: Devices): Promise<void> {
    localStorage.setItem(DEVICES, JSON.stringify(devices));
    if (devices.microphone !== null) await this.#audio?.speakInto(devices.microphone);
    if (devices.speaker !== null) await this.#audio?.listenOn(devices.speaker);
  }

  devices(): Devices {
    try {
      // What was kept before there was a choice for the ring has none.
      const kept = JSON.parse(localStorage.getItem(DEVICES) ?? '') as Partial<Devices>;
      return { microphone: null, speaker: null, ringer: null, ...kept };
    } catch {
      return { microphone: null, speaker: null, ringer: null };
    }
  }

  #open(era: number): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/phone`, ['tandem', `bearer.${this.#token}`]);
    this.#socket = socket;
    socket.onmessage = (event) => this.#hear(era, JSON.parse(String(event.data)) as PhoneMessage);
    socket.onclose = (event) => this.#closed(era, event.code);
    this.#greeting = setTimeout(() => this.#giveUp(era, socket), GREETS_WITHIN_MS);
  }

  #closed(era: number, code: number): void {
    if (era !== this.#era) return;
    clearTimeout(this.#greeting);
    this.#fail();
    this.#tell({ type: 'closed' });
    if (code === REPLACED) return this.stop('elsewhere');
    setTimeout(() => era === this.#era && this.#open(era), this.#rest());
    this.#attempt += 1;
  }

  #rest(): number {
    const isInCall = calls(this.#phone).some((call) => call.state !== 'ringing');
    return (isInCall ? pauseWithCall : pause)(this.#attempt, Math.random());
  }

  // A machine that lost its power closes no socket: one that does not answer is given up.
  #giveUp(era: number, socket: WebSocket): void {
    if (this.#socket !== socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    this.#closed(era, 0);
  }

  #hear(era: number, message: PhoneMessage): void {
    if (era !== this.#era) return;
    if (message.type === 'hello') {
      this.#attempt = 0;
      clearTimeout(this.#greeting);
      this.#tell({ type: 'opened' });
      void this.#connect(era, message.ice_servers ?? []);
    } else if (message.type === 'reply') {
      this.#waiting.get(message.id)?.resolve(message);
      this.#waiting.delete(message.id);
    } else {
      this.#tell({ type: 'message', message, at: Date.now() });
    }
  }

  // New audio for a new socket: calls go on with it where they were.
  async #connect(era: number, servers: IceServer[]): Promise<void> {
    const isOpen = () => era === this.#era && this.#socket?.readyState === WebSocket.OPEN;
    const again = () => isOpen() && void this.#connect(era, servers);
    const onQuality = (quality: Phone['quality']) => quality !== null && this.#tell({ type: 'quality', quality });
    const socket = this.#socket;
    let patience: ReturnType<typeof setTimeout> | undefined;
    try {
      const audio = await Audio.open(this.#speaker, this.devices(), servers, onQuality, again);
      if (era !== this.#era) return audio.close();
      await audio.agree(async (offer) => {
        patience = setTimeout(() => socket !== null && this.#giveUp(era, socket), ANSWERS_WITHIN_MS);
        return (await this.ask({ name: 'connect', offer })).answer ?? '';
      });
      this.#audio?.close();
      this.#audio = audio;
      audio.mute(this.#phone.muted);
      this.#tell({ type: 'duty', duty: 'on' });
    } catch (error) {
      if (era !== this.#era) return;
      const isRefused = error instanceof DOMException && ['NotAllowedError', 'NotFoundError'].includes(error.name);
      if (isRefused) this.stop('no-microphone');
      else setTimeout(again, this.#rest());
    } finally {
      clearTimeout(patience);
    }
  }

  #fail(): void {
    const error = new Refused({ title: '', status: 0, detail: '', code: 'unreachable' });
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #tell(event: PhoneEvent): void {
    this.#phone = reduce(this.#phone, event);
    this.#ringIfNeeded();
    for (const listener of this.#listeners) listener();
  }

  #ringIfNeeded(): void {
    const call = foremost(this.#phone);
    const rings = call?.state === 'ringing' && !call.outgoing;
    if (rings && this.#stopRing === null) this.#stopRing = ring(this.devices().ringer);
    if (!rings && this.#stopRing !== null) {
      this.#stopRing();
      this.#stopRing = null;
    }
  }
}
