// What all pages share: the signed-in client, the phone, and the live floor.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import type { Client } from './api/client';
import type { Agent, Page } from './api/types';
import { Feed, type FeedLink } from './live/feed';
import { touched } from './live/floor';
import { type Phone, silent } from './live/phone';
import type { Line } from './phone/line';

interface Shared {
  client: Client;
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
  useEffect(() => {
    const feed = new Feed(
      client.session.token,
      (facts) => {
        const all = touched(facts);
        if (all.agents) void queries.invalidateQueries({ queryKey: ['agents'] });
        if (all.calls) void queries.invalidateQueries({ queryKey: ['calls'] });
        for (const queue of all.queues) void queries.invalidateQueries({ queryKey: ['queue', queue] });
        if (all.agents) void queries.invalidateQueries({ queryKey: ['queue'] });
        if (all.resources.size > 0) void queries.invalidateQueries({ queryKey: ['list'] });
      },
      (now) => {
        setLink(now);
        // What happened in the gap is read once it is over.
        if (now.state === 'live') void queries.invalidateQueries();
      },
    );
    return () => feed.close();
  }, [client, queries]);
  const shared = useMemo(() => ({ client, line, link, leave: onLeave }), [client, line, link, onLeave]);
  return <Context.Provider value={shared}>{children}</Context.Provider>;
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

// The user's own agent; none when the extension is in no queue.
export function useSelf(): Agent | undefined {
  const { client } = useClient();
  const own = client.principal.extension;
  const agents = useQuery({
    queryKey: ['agents'],
    queryFn: () => client.get<Page<Agent>>('/api/v1/agents'),
    // Wrap-up and pauses may end by the clock alone.
    refetchInterval: 5_000,
  });
  return agents.data?.items.find((agent) => agent.extension === own);
}
