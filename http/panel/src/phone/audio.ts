// The browser's side of the audio: microphone, connection, speaker, ring.

import type { IceServer } from '../api/types';
import { type Quality, quality } from '../live/phone';

const QUALITY_EVERY_MS = 5_000;

export interface Devices {
  microphone: string | null;
  speaker: string | null;
  // Where it rings; none: at the speaker that is usual for the browser.
  ringer: string | null;
}

async function microphone(id: string | null): Promise<MediaStream> {
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  if (id === null) return navigator.mediaDevices.getUserMedia({ audio: wanted });
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...wanted, deviceId: { exact: id } } });
  } catch (error) {
    // The headset of yesterday is not plugged in.
    if (error instanceof DOMException && error.name === 'OverconstrainedError') return microphone(null);
    throw error;
  }
}

interface Counts {
  lost: number;
  received: number;
}

// How the browser reaches the node: by itself, or by the servers that the node names.
export const reach = (servers: IceServer[]): RTCConfiguration => ({ bundlePolicy: 'max-bundle', iceServers: servers });

// One connection to the node. It lasts as long as the duty, whatever calls come and go.
export class Audio {
  readonly #connection: RTCPeerConnection;
  readonly #sender: RTCRtpSender;
  readonly #stream: MediaStream;
  readonly #speaker: HTMLAudioElement;
  readonly #ticking: ReturnType<typeof setInterval>;
  #heard: MediaStream | null = null;
  #isLost = false;
  #before: Counts = { lost: 0, received: 0 };

  static async open(
    speaker: HTMLAudioElement,
    devices: Devices,
    servers: IceServer[],
    onQuality: (quality: Quality) => void,
    onFailed: () => void,
  ): Promise<Audio> {
    const stream = await microphone(devices.microphone);
    return new Audio(stream, speaker, devices, servers, onQuality, onFailed);
  }

  private constructor(
    stream: MediaStream,
    speaker: HTMLAudioElement,
    devices: Devices,
    servers: IceServer[],
    onQuality: (quality: Quality) => void,
    onFailed: () => void,
  ) {
    this.#connection = new RTCPeerConnection(reach(servers));
    const track = stream.getAudioTracks()[0];
    if (track === undefined) throw new DOMException('no audio', 'NotFoundError');
    this.#stream = stream;
    this.#speaker = speaker;
    this.#sender = this.#connection.addTransceiver(track, { direction: 'sendrecv' }).sender;
    this.#connection.ontrack = (event) => {
      this.#heard = new MediaStream([event.track]);
      speaker.srcObject = this.#heard;
      void speaker.play().catch(() => undefined);
    };
    this.#connection.onconnectionstatechange = () => {
      const isLost = ['disconnected', 'failed'].includes(this.#connection.connectionState);
      if (!isLost || this.#isLost) return;
      this.#isLost = true;
      onFailed();
    };
    if (devices.speaker !== null) void this.listenOn(devices.speaker);
    this.#ticking = setInterval(() => void this.#measure(onQuality), QUALITY_EVERY_MS);
  }

  get stream(): MediaStream {
    return this.#stream;
  }

  // The node's answer holds all its candidates and learns ours from our checks: one round trip.
  async agree(exchange: (offer: string) => Promise<string>): Promise<void> {
    const offer = await this.#connection.createOffer();
    await this.#connection.setLocalDescription(offer);
    const answer = await exchange(this.#connection.localDescription?.sdp ?? '');
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  mute(muted: boolean): void {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !muted;
  }

  press(digits: string): void {
    this.#sender.dtmf?.insertDTMF(digits, 120, 60);
  }

  async speakInto(id: string): Promise<void> {
    const stream = await microphone(id);
    const [next] = stream.getAudioTracks();
    const [before] = this.#stream.getAudioTracks();
    if (next === undefined || before === undefined) return;
    next.enabled = before.enabled;
    await this.#sender.replaceTrack(next);
    this.#stream.removeTrack(before);
    this.#stream.addTrack(next);
    before.stop();
  }

  async listenOn(id: string): Promise<void> {
    await this.#speaker.setSinkId?.(id).catch(() => undefined);
  }

  close(): void {
    clearInterval(this.#ticking);
    this.#connection.close();
    for (const track of this.#stream.getTracks()) track.stop();
    // The next connection may play there already.
    if (this.#speaker.srcObject === this.#heard) this.#speaker.srcObject = null;
  }

  async #measure(onQuality: (quality: Quality) => void): Promise<void> {
    for (const report of (await this.#connection.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      const { packetsLost, packetsReceived, jitter } = report as RTCInboundRtpStreamStats;
      const now = { lost: packetsLost ?? 0, received: packetsReceived ?? 0 };
      const lost = Math.max(0, now.lost - this.#before.lost);
      const all = lost + now.received - this.#before.received;
      this.#before = now;
      if (all > 0) onQuality(quality(lost / all, jitter ?? 0));
    }
  }
}

// How loud the microphone is, 0 to 1, as long as somebody looks.
export function watchLevel(stream: MediaStream, onLevel: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    onLevel(Math.min(1, Math.sqrt(power) * 4));
  }, 100);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
