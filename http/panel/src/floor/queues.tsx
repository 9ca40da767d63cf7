// The queue panel: the figures of a queue or of all, who waits, who talks, the agents, and what can
// be done with them. It is drawn from the node's pictures, in this window or in one of its own.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';

import type { Page } from '../api/types';
import { useClient, useFloor } from '../house';
import { clock } from '../live/floor';
import { Button, Choice, Fault, style, useNow } from '../parts';
import { useText } from '../text';
import { Active, Agents, type View, Waiting } from './areas';
import { Commanding, useHouse } from './commands';
import own from './floor.module.css';
import { activeOf, agentsOf, type Sums, sumsOf, waitingOf } from './rows';

interface Known {
  number: string;
  name: string;
}

// What a place in the panel says of itself: a queue (none: all), and a window without the rest.
export interface Scope {
  queue?: string;
  alone?: boolean;
}

export const scopeOf = (search: Record<string, unknown>): Scope => ({
  ...(search['queue'] === undefined ? {} : { queue: String(search['queue']) }),
  ...(search['alone'] === true ? { alone: true } : {}),
});

// A connection watches a hundred topics at most; one of them is the calls.
const MOST = 99;
const VIEW = 'tandem.agents';

export function QueuesPage() {
  const text = useText();
  const { client } = useClient();
  const { queue } = useSearch({ from: '/queues' });
  const list = useQuery({
    queryKey: ['list', 'queues'],
    queryFn: () => client.get<Page<Known>>('/api/v1/queues?limit=500'),
  });
  const all = list.data?.items ?? [];
  const numbers = queue === undefined ? all.slice(0, MOST).map((it) => it.number) : [queue];
  return (
    <>
      <h1>{text.queues.title}</h1>
      <Fault error={list.error} />
      {list.isSuccess && all.length === 0 && <p>{text.queues.empty}</p>}
      {all.length > 0 && <ScopeBar all={all} />}
      {queue === undefined && all.length > MOST && <p className={style.notice}>{text.floor.most(MOST)}</p>}
      {numbers.length > 0 && <Board numbers={numbers} />}
    </>
  );
}

function ScopeBar({ all }: { all: Known[] }) {
  const text = useText();
  const navigate = useNavigate();
  const { queue, alone } = useSearch({ from: '/queues' });
  const options = all.map((it) => ({ id: it.number, name: `${it.name} [${it.number}]` }));
  const go = (chosen: string) => ({
    ...(chosen === '' ? {} : { queue: chosen }),
    ...(alone === true ? { alone: true } : {}),
  });
  const separate = () => {
    const query = queue === undefined ? '?alone=true' : `?queue=%22${queue}%22&alone=true`;
    window.open(`${location.pathname}#/queues${query}`, '_blank', 'popup,width=1200,height=800');
  };
  return (
    <div className={own.bar}>
      <Choice
        label={text.floor.scope}
        value={queue ?? ''}
        options={[{ id: '', name: text.floor.all }, ...options]}
        onChange={(chosen) => void navigate({ to: '/queues', search: go(chosen) })}
      />
      {alone !== true && <Button onPress={separate}>{text.floor.separate}</Button>}
    </div>
  );
}

function Board({ numbers }: { numbers: string[] }) {
  const floor = useFloor(numbers);
  const [filter, setFilter] = useState({ search: '', working: false });
  const [view, setView] = useState<View>(() => (localStorage.getItem(VIEW) === 'compact' ? 'compact' : 'standard'));
  const extensions = useHouse('extensions');
  const names = useMemo(() => new Map(extensions.map((it) => [it.number, it.name])), [extensions]);
  useEffect(() => localStorage.setItem(VIEW, view), [view]);
  const queues = numbers.flatMap((number) => floor.queues.get(number) ?? []);
  const withQueue = numbers.length > 1;
  return (
    <Commanding>
      <Figures sums={sumsOf(queues)} />
      <div className={own.areas}>
        <div className={own.calls}>
          <Waiting rows={waitingOf(queues, floor.calls)} withQueue={withQueue} />
          <Active rows={activeOf(queues, floor.calls)} withQueue={withQueue} />
        </div>
        <Agents
          rows={agentsOf(queues, names, filter)}
          total={queues.reduce((sum, it) => sum + it.agents.length, 0)}
          withQueue={withQueue}
          view={view}
          onView={setView}
          filter={filter}
          onFilter={setFilter}
        />
      </div>
    </Commanding>
  );
}

function Figures({ sums }: { sums: Sums }) {
  const text = useText();
  const now = useNow();
  const tiles: [string, string, string | number][] = [
    ['waiting', text.queues.waiting, sums.waiting],
    ['longest', text.queues.longest, sums.oldest === null ? '–' : clock(now - sums.oldest)],
    ['active', text.queues.active, sums.active],
    ['free', text.queues.free, sums.free],
    ['total', text.queues.total, sums.total],
    ['answered', text.queues.answered, sums.answered],
    ['missed', text.queues.missed, sums.missed],
    ['abandoned', text.queues.abandoned, sums.abandoned],
  ];
  return (
    <dl className={style.tiles}>
      {tiles.map(([id, what, value]) => (
        <div key={id} className={style.tile}>
          <dt>{what}</dt>
          <dd data-figure={id}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
