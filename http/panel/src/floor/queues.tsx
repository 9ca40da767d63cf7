// The queue panel: the figures of a queue or of all, who waits, who talks, the agents, and what can
// be done with them. It is drawn from the node's pictures, in this window or in one of its own.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';

import type { Tagged } from '../api/client';
import type { Console, Page } from '../api/types';
import { useClient, useFloor } from '../house';
import { clock } from '../live/floor';
import { Button, Choice, Fault, style, useNow } from '../parts';
import { useSpoken, useText } from '../text';
import { Active, Agents, type View, Waiting } from './areas';
import { Commanding, useHouse } from './commands';
import own from './floor.module.css';
import { Groups, useConsole } from './groups';
import { activeOf, agentsOf, percent, type Sums, sumsOf, waitingOf } from './rows';
import { groupOf, type Known, known, type Level, levelOf, MOST, numbersOf, scopeOfGroup, scopes, thresholdOf } from './scopes';

// What a place in the panel says of itself: a queue or a group of the user's (neither: all), and
// a window without the rest.
export interface Scope {
  queue?: string;
  group?: string;
  alone?: boolean;
}

export const scopeOf = (search: Record<string, unknown>): Scope => ({
  ...(search['queue'] === undefined ? {} : { queue: String(search['queue']) }),
  ...(search['group'] === undefined ? {} : { group: String(search['group']) }),
  ...(search['alone'] === true ? { alone: true } : {}),
});

const VIEW = 'tandem.agents';

export function QueuesPage() {
  const text = useText();
  const { client } = useClient();
  const { queue, group } = useSearch({ from: '/queues' });
  const console = useConsole();
  const list = useQuery({
    queryKey: ['list', 'queues'],
    queryFn: () => client.get<Page<Known>>('/api/v1/queues?limit=500'),
  });
  const all = list.data?.items ?? [];
  const groups = console.data?.value.groups ?? [];
  const wanted = group === undefined ? (queue ?? '') : scopeOfGroup(group);
  const scope = known(wanted, groups);
  const numbers = numbersOf(scope, all, groups);
  const isAll = scope === '';
  return (
    <>
      <h1>{text.queues.title}</h1>
      <Fault error={list.error ?? console.error} />
      {list.isSuccess && all.length === 0 && <p>{text.queues.empty}</p>}
      {all.length > 0 && <ScopeBar all={all} scope={scope} console={console.data} />}
      {isAll && all.length > MOST && <p className={style.notice}>{text.floor.most(MOST)}</p>}
      {list.isSuccess && numbers.length === 0 && all.length > 0 && <p>{text.floor.groupIsEmpty}</p>}
      {numbers.length > 0 && console.data !== undefined && (
        <Board numbers={numbers} scope={scope} console={console.data.value} />
      )}
    </>
  );
}

interface ScopeBarProps {
  all: Known[];
  scope: string;
  console: Tagged<Console> | undefined;
}

function ScopeBar({ all, scope, console }: ScopeBarProps) {
  const text = useText();
  const navigate = useNavigate();
  const { alone } = useSearch({ from: '/queues' });
  const [isOpen, setIsOpen] = useState(false);
  const place = (chosen: string): Scope => {
    const group = groupOf(chosen);
    return group !== null ? { group } : chosen === '' ? {} : { queue: chosen };
  };
  const go = (chosen: string): Scope => ({ ...place(chosen), ...(alone === true ? { alone: true } : {}) });
  const separate = () => {
    const parts = Object.entries(place(scope)).map(([key, it]) => `${key}=${encodeURIComponent(JSON.stringify(it))}&`);
    window.open(`${location.pathname}#/queues?${parts.join('')}alone=true`, '_blank', 'popup,width=1200,height=800');
  };
  return (
    <div className={own.bar}>
      <Choice
        label={text.floor.scope}
        value={scope}
        options={scopes(text.floor.all, all, console?.value.groups ?? [])}
        onChange={(chosen) => void navigate({ to: '/queues', search: go(chosen) })}
      />
      {alone !== true && <Button onPress={separate}>{text.floor.separate}</Button>}
      {console !== undefined && <Button onPress={() => setIsOpen(true)}>{text.floor.custom}</Button>}
      {isOpen && console !== undefined && <Groups kept={console} all={all} onClose={() => setIsOpen(false)} />}
    </div>
  );
}

interface BoardProps {
  numbers: string[];
  scope: string;
  console: Console;
}

function Board({ numbers, scope, console }: BoardProps) {
  const floor = useFloor(numbers);
  const [filter, setFilter] = useState({ search: '', working: false });
  const [view, setView] = useState<View>(() => (localStorage.getItem(VIEW) === 'compact' ? 'compact' : 'standard'));
  const extensions = useHouse('extensions');
  const names = useMemo(() => new Map(extensions.map((it) => [it.number, it.name])), [extensions]);
  useEffect(() => localStorage.setItem(VIEW, view), [view]);
  const queues = numbers.flatMap((number) => floor.queues.get(number) ?? []);
  const withQueue = numbers.length > 1;
  const threshold = thresholdOf(scope, queues, console);
  return (
    <Commanding>
      <Figures sums={sumsOf(queues)} level={levelOf(queues, threshold)} threshold={threshold} />
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

interface FiguresProps {
  sums: Sums;
  level: Level;
  threshold: number;
}

function Figures({ sums, level, threshold }: FiguresProps) {
  const { text, language } = useSpoken();
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
    <dl className={`${style.tiles} ${own.figures}`}>
      {tiles.map(([id, what, value]) => (
        <div key={id} className={style.tile}>
          <dt>{what}</dt>
          <dd data-figure={id}>{value}</dd>
        </div>
      ))}
      <div className={`${style.tile} ${level.isAlarm ? own.alarm : ''}`}>
        <dt>{text.floor.level}</dt>
        <dd data-figure="level" data-alarm={level.isAlarm}>
          {percent(level.share, language)}
        </dd>
        {level.isAlarm && <dd className={own.below}>{text.floor.below(threshold)}</dd>}
      </div>
    </dl>
  );
}
