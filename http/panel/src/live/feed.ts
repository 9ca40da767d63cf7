// The node's facts, one by one and in order, over a connection that comes back by itself and
// goes on after the last fact that was read.

import type { Fact } from '../api/types';

export type FeedLink = { state: 'live' } | { state: 'reconnecting'; since: number };

// Cuts the text of server-sent events into facts. What is not complete yet is kept.
export class Cutter {
  #rest = '';
  position: string | null = null;

  push(text: string): Fact[] {
    this.#rest += text;
    const parts = this.#rest.split('\n\n');
    this.#rest = parts.pop() ?? '';
    return parts.flatMap((part) => this.#event(part));
  }

  #event(part: string): Fact[] {
    let data = '';
    let id: string | null = null;
    for (const line of part.split('\n')) {
      if (line.startsWith('data:')) data += line.slice(5).trimStart();
      if (line.startsWith('id:')) id = line.slice(3).trim();
    }
    // A position that was read already is not read twice.
    if (id === null || id === this.position) return [];
    this.position = id;
    const fact = JSON.parse(data === '' ? '{}' : data) as Partial<Fact>;
    return fact.kind === undefined ? [] : [fact as Fact];
  }

  // A connection ended: half an event is nothing.
  cut(): void {
    this.#rest = '';
  }
}

// 0.5 s, 1 s, 2 s … 10 s, each up to half again later, so that a floor of panels does not come
// back in one second.
export function pause(attempt: number, chance: number): number {
  return Math.min(10_000, 500 * 2 ** attempt) * (1 + chance / 2);
}

// With a caller who hears nothing it is tried again at once: 0.25 s for some 10 s. Few have a call
// at a moment, so they are no crowd.
export function pauseWithCall(attempt: number, chance: number): number {
  return attempt < 40 ? 250 * (1 + chance / 2) : pause(attempt, chance);
}

export class Feed {
  #cutter = new Cutter();
  #ended = new AbortController();

  constructor(token: string, onFacts: (facts: Fact[]) => void, onLink: (link: FeedLink) => void) {
    void this.#run(token, onFacts, onLink);
  }

  close(): void {
    this.#ended.abort();
  }

  async #run(token: string, onFacts: (facts: Fact[]) => void, onLink: (link: FeedLink) => void): Promise<void> {
    let attempt = 0;
    let since = Date.now();
    while (!this.#ended.signal.aborted) {
      try {
        await this.#follow(token, onFacts, () => {
          attempt = 0;
          onLink({ state: 'live' });
        });
      } catch {
        // Whatever it was, it is tried again.
      }
      if (this.#ended.signal.aborted) return;
      this.#cutter.cut();
      if (attempt === 0) since = Date.now();
      onLink({ state: 'reconnecting', since });
      await new Promise((done) => setTimeout(done, pause(attempt, Math.random())));
      attempt += 1;
    }
  }

  async #follow(token: string, onFacts: (facts: Fact[]) => void, onOpen: () => void): Promise<void> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (this.#cutter.position !== null) headers['Last-Event-ID'] = this.#cutter.position;
    const answer = await fetch('/api/v1/events/stream', { headers, signal: this.#ended.signal });
    if (!answer.ok || answer.body === null) throw new Error(String(answer.status));
    onOpen();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const facts = this.#cutter.push(value);
      if (facts.length > 0) onFacts(facts);
    }
  }
}
