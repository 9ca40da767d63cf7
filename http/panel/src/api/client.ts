import type { Principal, Problem, Session } from './types';

// A refusal of the node, with its problem.
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

export interface Tagged<T> {
  value: T;
  etag: string;
}

const KEY = 'tandem.session';

// The session lives as long as the tab: a reload keeps it, a closed tab ends it.
export function keptSession(): Session | null {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Session | null;
    return session !== null && Date.parse(session.expires_at) > Date.now() ? session : null;
  } catch {
    return null;
  }
}

function unreachable(): Problem {
  return { title: '', status: 0, detail: '', code: 'unreachable' };
}

// Requests with a session. `onEnd` is told once when the node does not know it any more.
export class Client {
  readonly session: Session;
  readonly #onEnd: () => void;

  constructor(session: Session, onEnd: () => void) {
    this.session = session;
    this.#onEnd = onEnd;
  }

  get principal(): Principal {
    return this.session.principal;
  }

  static async signIn(name: string, password: string): Promise<Session> {
    const session = await send<Session>('POST', '/api/v1/session', null, { name, password });
    sessionStorage.setItem(KEY, JSON.stringify(session.value));
    return session.value;
  }

  async signOut(): Promise<void> {
    sessionStorage.removeItem(KEY);
    await this.request('DELETE', '/api/v1/session').catch(() => undefined);
  }

  async get<T>(path: string): Promise<T> {
    return (await this.request<T>('GET', path)).value;
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return (await this.request<T>('POST', path, body)).value;
  }

  async request<T>(method: string, path: string, body?: unknown, etag?: string): Promise<Tagged<T>> {
    try {
      return await send<T>(method, path, this.session.token, body, etag);
    } catch (error) {
      if (error instanceof Refused && error.problem.status === 401) {
        sessionStorage.removeItem(KEY);
        this.#onEnd();
      }
      throw error;
    }
  }
}

let skew = 0;

// How far this machine's clock is behind the node's, in ms; to the second.
export const serverSkew = (): number => skew;

async function send<T>(
  method: string,
  path: string,
  token: string | null,
  body?: unknown,
  etag?: string,
): Promise<Tagged<T>> {
  const headers: Record<string, string> = {};
  if (token !== null) headers['Authorization'] = `Bearer ${token}`;
  if (etag !== undefined) headers['If-Match'] = etag;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  const answer = await fetch(path, init).catch(() => {
    throw new Refused(unreachable());
  });
  const date = answer.headers.get('Date');
  if (date !== null) {
    const found = Date.parse(date) - Date.now();
    // The header has no milliseconds.
    skew = Math.abs(found) < 1_500 ? 0 : found;
  }
  const text = await answer.text();
  const value = text === '' ? undefined : (JSON.parse(text) as unknown);
  if (!answer.ok) throw new Refused(value as Problem);
  return { value: value as T, etag: answer.headers.get('ETag') ?? '' };
}
