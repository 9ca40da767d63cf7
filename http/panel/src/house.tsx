// What all pages share: the signed-in client, the phone, and the live floor.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Client } from './api/client';
import type { Agent, Page } from './api/types';
import { Feed, type FeedLink } from './live/feed';
import { type Touched, touched } from './live/floor';
import { type Floor, topicOf, Watcher } from './live/pictures';
import { type Phone, silent } from './live/phone';
import type { Line } from './phone/line';

interface Shared {
  client: Client;
  watcher: () => Watcher;
  line: Line | null;
  link: FeedLink;
  leave: () => void;
}

const Context = createContext<Shared | null>(null);

interface HouseProps {
  client: Client;
  line: Line | null;
  onLeave: () => void;
  children: ReactNode;
}

export function House({ client, line, onLeave, children }: HouseProps) {
  const queries = useQueryClient();
  const [link, setLink] = useState<FeedLink>({ state: 'live' });
  const watcher = useRef<Watcher | null>(null);
  useEffect(() => {
    const tell = gathered((all) => {
      if (all.agents) void queries.invalidateQueries({ queryKey: ['agents'] });
      if (all.calls) void queries.invalidateQueries({ queryKey: ['calls'] });
      if (all.resources.size > 0) void queries.invalidateQueries({ queryKey: ['list'] });
    });
    const feed = new Feed(
      client.session.token,
      (facts) => tell(touched(facts)),
      (now) => {
        setLink(now);
        // What happened in the gap is read once it is over.
        if (now.state === 'live') void queries.invalidateQueries();
      },
    );
    return () => {
      feed.close();
      watcher.current?.close();
      watcher.current = null;
    };
  }, [client, queries]);
  const shared = useMemo(() => {
    // Made by the first page that watches; its breaks are the feed's breaks, which are shown.
    const watch = () => {
      watcher.current ??= new Watcher(client.session.token, () => undefined);
      return watcher.current;
    };
    return { client, line, link, leave: onLeave, watcher: watch };
  }, [client, line, link, onLeave]);
  return <Context.Provider value={shared}>{children}</Context.Provider>;
}

// On a busy floor facts come faster than anything need be read again.
const GATHERED_FOR = 500;

function gathered(tell: (all: Touched) => void): (some: Touched) => void {
  let all: Touched | null = null;
  return (some) => {
    if (all === null) {
      all = some;
      setTimeout(() => {
        const told = all;
        all = null;
        if (told !== null) tell(told);
      }, GATHERED_FOR);
      return;
    }
    all = {
      agents: all.agents || some.agents,
      calls: all.calls || some.calls,
      queues: new Set([...all.queues, ...some.queues]),
      resources: new Set([...all.resources, ...some.resources]),
    };
  };
}

export function useClient(): Shared {
  const shared = useContext(Context);
  if (shared === null) throw new Error('outside of the house');
  return shared;
}

export const useLink = (): FeedLink => useClient().link;

const never = () => () => undefined;

export function usePhone(): Phone {
  const { line } = useClient();
  return useSyncExternalStore(line?.subscribe ?? never, line?.snapshot ?? (() => silent));
}

// The floor of some queues, as it is now, while somebody looks.
export function useFloor(numbers: string[]): Floor {
  const { watcher } = useClient();
  const topics = JSON.stringify(['calls', ...numbers.map(topicOf)]);
  const [current] = useState(watcher);
  useEffect(() => {
    current.watch(JSON.parse(topics) as string[]);
    return () => current.watch([]);
  }, [current, topics]);
  return useSyncExternalStore(current.subscribe, current.snapshot);
}

// The call that was talked with last, for the note that is written after it. A reload keeps it.
export interface LastCall {
  call: string;
  who: string;
}

const LAST = 'tandem.last-call';
const lastWatchers = new Set<() => void>();
let last: string | null | undefined;

function lastKept(): string | null {
  if (last === undefined) last = sessionStorage.getItem(LAST);
  return last;
}

export function rememberCall(call: LastCall | null): void {
  const kept = call === null ? null : JSON.stringify(call);
  last = kept;
  if (kept === null) sessionStorage.removeItem(LAST);
  else sessionStorage.setItem(LAST, kept);
  for (const tell of lastWatchers) tell();
}

function onLast(tell: () => void): () => void {
  lastWatchers.add(tell);
  return () => lastWatchers.delete(tell);
}

export function useLastCall(): LastCall | null {
  const kept = useSyncExternalStore(onLast, lastKept);
  return useMemo(() => (kept === null ? null : (JSON.parse(kept) as LastCall)), [kept]);
}

// The user's own agent; none when the extension is in no queue.
export function useSelf(): Agent | undefined {
  const { client } = useClient();
  const queries = useQueryClient();
  const own = client.principal.extension;
  // That the page has become a phone, or is none any more, is no fact that the feed would tell.
  const { duty, state } = usePhone();
  const link = state?.link;
  useEffect(() => void queries.invalidateQueries({ queryKey: ['agents'] }), [queries, duty, link]);
  const agents = useQuery({
    queryKey: ['agents'],
    queryFn: () => client.get<Page<Agent>>('/api/v1/agents'),
    // Wrap-up and pauses may end by the clock alone.
    refetchInterval: 5_000,
  });
  return agents.data?.items.find((agent) => agent.extension === own);
}
