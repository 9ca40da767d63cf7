// What a wallboard shows: figures on tiles, queues in a list, agents in a list.

import type { Agent, Figure, QueueStatus, Tile } from '../api/types';
import { serverSkew } from '../api/client';
import { percent, type Sums, sumsOf } from '../floor/rows';
import { clock, shown } from '../live/floor';
import { Choice, Head, style, Timer, useNow } from '../parts';
import { useSpoken, useStates, useText } from '../text';
import { inOrder } from './grid';
import own from './wall.module.css';

export type View = 'tiles' | 'queues' | 'agents';

export function ViewChoice({ value, onChange }: { value: View; onChange: (view: View) => void }) {
  const text = useText();
  return (
    <Choice
      label={text.floor.view}
      value={value}
      options={[
        { id: 'tiles', name: text.wall.tiles },
        { id: 'queues', name: text.wall.queues },
        { id: 'agents', name: text.floor.agents },
      ]}
      onChange={(chosen) => onChange(chosen as View)}
    />
  );
}

const NONE = '–';

function share(part: number, whole: number, language: string): string {
  if (whole === 0) return NONE;
  return percent(part / whole, language);
}

export function value(figure: Figure, sums: Sums, now: number, language: string): string {
  switch (figure) {
    case 'clock':
      return new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' }).format(now);
    case 'waiting':
      return String(sums.waiting);
    case 'longest_wait':
      return sums.oldest === null ? NONE : clock(now - sums.oldest);
    case 'active':
      return String(sums.active);
    case 'idle_agents':
      return String(sums.free);
    case 'logged_in_agents':
      return `${sums.loggedIn}/${sums.agents}`;
    case 'answered':
      return String(sums.answered);
    case 'total':
      return String(sums.total);
    case 'missed':
      return String(sums.missed);
    case 'abandoned':
      return String(sums.abandoned);
    case 'answered_rate':
      return share(sums.answered, sums.total, language);
    case 'missed_rate':
      return share(sums.missed, sums.total, language);
    case 'abandoned_rate':
      return share(sums.abandoned, sums.total, language);
    case 'waiting_callbacks':
      return String(sums.callbacks);
    case 'service_level':
      return percent(sums.level, language);
  }
}

export const placed = (tile: Tile): React.CSSProperties =>
  ({
    '--column': tile.column + 1,
    '--row': tile.row + 1,
    '--width': tile.width,
    '--height': tile.height,
  }) as React.CSSProperties;

export function TileBody({ tile, sums }: { tile: Tile; sums: Sums }) {
  const { text, language } = useSpoken();
  const shownValue = value(tile.figure, sums, useNow(serverSkew()), language);
  // Short figures are large: the whole room reads them.
  const size = { '--length': Math.max(3, shownValue.length) } as React.CSSProperties;
  return (
    <>
      <h3>{text.wall.figures[tile.figure]}</h3>
      <p className={own.value} style={size} data-wall={tile.figure}>
        {shownValue}
      </p>
      {tile.description !== '' && <p className={own.foot}>{tile.description}</p>}
    </>
  );
}

export function Tiles({ tiles, queues }: { tiles: Tile[]; queues: QueueStatus[] }) {
  const sums = sumsOf(queues);
  return (
    <div className={own.grid}>
      {inOrder(tiles).map(({ tile, at }) => (
        <section key={at} className={own.tile} style={placed(tile)}>
          <TileBody tile={tile} sums={sums} />
        </section>
      ))}
    </div>
  );
}

// one row per queue and one for all.
export function QueueList({ queues }: { queues: QueueStatus[] }) {
  const { text, language } = useSpoken();
  const names = text.wall.figures;
  const head: [string, (sums: Sums) => string][] = [
    [names.active, (sums) => String(sums.active)],
    [names.waiting, (sums) => String(sums.waiting)],
    [names.service_level, (sums) => percent(sums.level, language)],
    [names.answered, (sums) => String(sums.answered)],
    [names.missed, (sums) => String(sums.missed)],
    [names.abandoned, (sums) => String(sums.abandoned)],
    [names.total, (sums) => String(sums.total)],
    [names.answered_rate, (sums) => share(sums.answered, sums.total, language)],
    [names.abandoned_rate, (sums) => share(sums.abandoned, sums.total, language)],
    [names.waiting_callbacks, (sums) => String(sums.callbacks)],
  ];
  const row = (key: string, name: string, some: QueueStatus[]) => {
    const sums = sumsOf(some);
    const isAll = key === '';
    return (
      <tr key={key} data-wall-queue={key}>
        <th scope="row">{name}</th>
        <td>{isAll ? NONE : `${sums.loggedIn}/${sums.agents}`}</td>
        <td>{isAll ? NONE : sums.free}</td>
        {head.map(([what, of]) => (
          <td key={what}>{of(sums)}</td>
        ))}
      </tr>
    );
  };
  return (
    <Scrolled label={text.wall.queues}>
      <table className={`${style.table} ${own.list}`}>
        <thead>
          <tr>
            <th scope="col">{text.calls.queue}</th>
            <th scope="col">{names.logged_in_agents}</th>
            <th scope="col">{names.idle_agents}</th>
            {head.map(([what]) => (
              <th key={what} scope="col">
                {what}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {row('', text.floor.all, queues)}
          {queues.map((queue) => row(queue.number, `${queue.name} [${queue.number}]`, [queue]))}
        </tbody>
      </table>
    </Scrolled>
  );
}

// one row per queue and agent.
export function AgentList({ queues }: { queues: QueueStatus[] }) {
  const text = useText();
  const words = useStates();
  const row = (queue: QueueStatus, agent: Agent) => {
    const here = agent.memberships.filter((it) => it.queue === queue.number);
    const seat = here[0];
    return (
      <tr key={`${queue.number}:${agent.extension}`}>
        <td>
          {queue.name} [{queue.number}]
        </td>
        <th scope="row">{agent.extension}</th>
        <td>{seat?.membership === 'static' ? text.wall.fixed : text.wall.dynamic}</td>
        <td>{words[shown({ ...agent, memberships: here })]}</td>
        <td>
          <Timer since={agent.since} />
        </td>
        <td>{queue.active.filter((it) => it.agent === agent.extension).length}</td>
      </tr>
    );
  };
  const head = [
    text.calls.queue,
    text.queues.agent,
    text.wall.type,
    text.queues.state,
    text.queues.since,
    text.wall.currentCalls,
  ];
  return (
    <Scrolled label={text.floor.agents}>
      <table className={`${style.table} ${own.list}`}>
        <Head names={head} />
        <tbody>{queues.flatMap((queue) => queue.agents.map((agent) => row(queue, agent)))}</tbody>
      </table>
    </Scrolled>
  );
}

function Scrolled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={`${style.card} ${style.scroll}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
