// A wallboard in a window of its own, or on a screen on a wall: no sign-in, nothing to press, and
// it comes back by itself for months.

import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { Client, keptSession } from '../api/client';
import type { Console, QueueStatus } from '../api/types';
import type { FeedLink } from '../live/feed';
import { topicOf, Watcher } from '../live/pictures';
import { Button, Choice, Fault, style, useNow } from '../parts';
import { useText } from '../text';
import { layout } from './grid';
import { AgentList, QueueList, Tiles, type View, ViewChoice } from './views';
import own from './wall.module.css';

export interface WallPlace {
  board: string;
  queue: string | null;
  // Of the user whose window it is.
  group: string | null;
  rotate: boolean;
  token: string;
}

const AT = '#/screen?';
// A connection watches a hundred topics at most.
const MOST = 100;

// What stands behind the #, which no server ever sees.
export function addressOf(place: Omit<WallPlace, 'token'> & { token?: string }): string {
  const query = new URLSearchParams({ board: place.board });
  if (place.queue !== null) query.set('queue', place.queue);
  if (place.group !== null) query.set('group', place.group);
  if (place.rotate) query.set('rotate', 'true');
  if (place.token !== undefined) query.set('token', place.token);
  return AT + query.toString();
}

// A window that a manager has opened goes on with the manager's session.
export function placeOf(hash: string): WallPlace | null {
  if (!hash.startsWith(AT)) return null;
  const query = new URLSearchParams(hash.slice(AT.length));
  const token = query.get('token') ?? keptSession()?.token;
  if (token === undefined) return null;
  return {
    board: query.get('board') ?? '',
    queue: query.get('queue'),
    group: query.get('group'),
    rotate: query.get('rotate') === 'true',
    token,
  };
}

export function WallScreen({ place }: { place: WallPlace }) {
  const queries = useMemo(() => new QueryClient({ defaultOptions: { queries: { retry: false } } }), []);
  return (
    <QueryClientProvider client={queries}>
      <Screen place={place} />
    </QueryClientProvider>
  );
}

const EVERY = 60_000;

type Layouts = Pick<Console, 'all' | 'single' | 'rotation_secs'> & Partial<Pick<Console, 'groups'>>;

function Screen({ place }: { place: WallPlace }) {
  const text = useText();
  const client = useMemo(() => {
    const principal = { name: '', role: 'wallboard' as const };
    return new Client({ token: place.token, expires_at: '', principal }, () => undefined);
  }, [place.token]);
  // A shared board, or what the user has arranged for themselves.
  const path = place.board === '' ? '/api/v1/session/console' : `/api/v1/wallboards/${encodeURIComponent(place.board)}`;
  const board = useQuery({
    queryKey: ['wallboard', place.board],
    queryFn: () => client.get<Layouts>(path),
    refetchInterval: EVERY,
  });
  const group = board.data?.groups?.find((it) => it.name === place.group);
  const { floor, link } = useWatched(place.token, client, group?.queues ?? (place.queue === null ? null : [place.queue]));
  const isSingle = place.queue !== null;
  const title = isSingle ? `${floor[0]?.name ?? ''} [${place.queue}]` : (group?.name ?? text.floor.all);
  const { view, choose, isTurning, turn } = useTurning(isSingle, place.rotate, board.data?.rotation_secs ?? 30);
  const tiles = layout((isSingle ? board.data?.single : board.data?.all) ?? []);
  return (
    <main className={own.screen}>
      <div className={style.spread}>
        <h1>{title}</h1>
        <div className={style.row}>
          <ViewChoice value={view} onChange={choose} />
          <Button onPress={turn}>{isTurning ? text.wall.stop : text.wall.play}</Button>
        </div>
      </div>
      <div>
        <Broken link={link} />
        {board.data === undefined && <Fault error={board.error} />}
      </div>
      {view === 'tiles' && <Tiles tiles={tiles} queues={floor} />}
      {view === 'queues' && <QueueList queues={floor} />}
      {view === 'agents' && <AgentList queues={floor} />}
    </main>
  );
}

function Broken({ link }: { link: FeedLink }) {
  const text = useText();
  const now = useNow();
  if (link.state === 'live') return null;
  return (
    <p role="status" className={style.notice}>
      {text.link.reconnecting(Math.round((now - link.since) / 1000))}
    </p>
  );
}

// the views alternate until somebody touches the screen.
function useTurning(isSingle: boolean, atOnce: boolean, secs: number) {
  const [view, setView] = useState<View>('tiles');
  const [isTurning, setIsTurning] = useState(atOnce);
  useEffect(() => {
    if (!isTurning) return;
    const list: View = isSingle ? 'agents' : 'queues';
    const timer = setInterval(() => setView((now) => (now === 'tiles' ? list : 'tiles')), secs * 1000);
    const stop = () => setIsTurning(false);
    window.addEventListener('keydown', stop);
    window.addEventListener('pointerdown', stop);
    return () => {
      clearInterval(timer);
      window.removeEventListener('keydown', stop);
      window.removeEventListener('pointerdown', stop);
    };
  }, [isTurning, isSingle, secs]);
  const choose = (chosen: View) => {
    setIsTurning(false);
    setView(chosen);
  };
  // The press that stops it has stopped it already.
  const wasTurning = useRef(false);
  useEffect(() => {
    const note = () => {
      wasTurning.current = isTurning;
    };
    window.addEventListener('pointerdown', note, true);
    window.addEventListener('keydown', note, true);
    return () => {
      window.removeEventListener('pointerdown', note, true);
      window.removeEventListener('keydown', note, true);
    };
  }, [isTurning]);
  const turn = () => setIsTurning(!wasTurning.current);
  return { view, choose, isTurning, turn };
}

// The queues that are shown, by pictures; which there are is asked now and then.
function useWatched(token: string, client: Client, some: string[] | null) {
  const [link, setLink] = useState<FeedLink>({ state: 'live' });
  const [watcher, setWatcher] = useState<Watcher | null>(null);
  const first = useQuery({
    queryKey: ['statuses'],
    queryFn: () => client.get<{ items: QueueStatus[] }>('/api/v1/queue-statuses'),
    refetchInterval: (query) => (query.state.data === undefined ? 5_000 : EVERY),
  });
  useEffect(() => {
    let wasBroken = false;
    const opened = new Watcher(token, (now) => {
      setLink(now);
      if (now.state === 'live' && wasBroken) void reloadIfNew();
      wasBroken = now.state !== 'live';
    });
    setWatcher(opened);
    return () => opened.close();
  }, [token]);
  const all = first.data?.items.map((it) => it.number) ?? [];
  // What is gone can not be watched.
  const isThere = (it: string) => first.data === undefined || all.includes(it);
  const numbers = JSON.stringify((some?.filter(isThere) ?? all).slice(0, MOST));
  useEffect(() => {
    const wanted = JSON.parse(numbers) as string[];
    if (wanted.length > 0) watcher?.watch(wanted.map(topicOf));
  }, [watcher, numbers]);
  const seen = useSyncExternalStore(watcher?.subscribe ?? never, () => watcher?.snapshot() ?? null);
  const floor = (JSON.parse(numbers) as string[]).flatMap((number) => {
    const pictured = seen?.queues.get(number) ?? first.data?.items.find((it) => it.number === number);
    return pictured ?? [];
  });
  return { floor, link };
}

const never = () => () => undefined;

// A node that was upgraded serves other files: the old page would grow strange in time.
async function reloadIfNew(): Promise<void> {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  const page = await fetch('/panel/').catch(() => null);
  if (script === null || page === null || !page.ok) return;
  const name = new URL(script.src).pathname;
  if (!(await page.text()).includes(name)) location.reload();
}
