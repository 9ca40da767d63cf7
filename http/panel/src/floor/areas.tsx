// The areas of the queue panel: who waits, who talks, the agents.

import { memo, useState } from 'react';

import { shown } from '../live/floor';
import { Choice, Field, Head, style, Timer } from '../parts';
import { useStates, useText } from '../text';
import { DRAGGED, type Thing, useCommands } from './commands';
import own from './floor.module.css';
import type { ActiveRow, AgentFilter, AgentRow, WaitingRow } from './rows';

function More({ thing, who }: { thing: Thing; who: string }) {
  const text = useText();
  const { offer } = useCommands();
  return (
    <button
      type="button"
      className={own.more}
      aria-haspopup="menu"
      aria-label={`${text.queues.actions}: ${who}`}
      onClick={(event) => offer(thing, event.currentTarget)}
    >
      ⋯
    </button>
  );
}

// What a row needs to be dragged and clicked with the right button.
function useHandle(thing: Thing) {
  const { offer, drag } = useCommands();
  return {
    draggable: true,
    onDragStart: (event: React.DragEvent) => {
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData(DRAGGED, thing.kind === 'agent' ? '' : thing.call);
      drag(thing);
    },
    onDragEnd: () => drag(null),
    onContextMenu: (event: React.MouseEvent) => {
      event.preventDefault();
      offer(thing, event.currentTarget.querySelector('button') ?? event.currentTarget);
    },
  };
}

interface ListedProps<Row> {
  id: string;
  title: string;
  // What is said when there are no rows.
  empty: string;
  head: string[];
  rows: Row[];
  withQueue: boolean;
  line: React.ComponentType<{ row: Row; withQueue: boolean }>;
}

function Listed<Row extends { key: string }>(props: ListedProps<Row>) {
  const { id, title, empty, head, rows, withQueue, line: Line } = props;
  const text = useText();
  return (
    <section className={style.card} aria-labelledby={id}>
      <h2 id={id}>
        {title} ({rows.length})
      </h2>
      {rows.length === 0 ? (
        <p className={style.hint}>{empty}</p>
      ) : (
        <div className={own.lines}>
          <table className={style.table} aria-labelledby={id}>
            <Head names={withQueue ? [text.calls.queue, ...head] : head} />
            <tbody>
              {rows.map((row) => (
                <Line key={row.key} row={row} withQueue={withQueue} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function Waiting(rows: { rows: WaitingRow[]; withQueue: boolean }) {
  const { queues, floor } = useText();
  const head = [queues.position, queues.caller, floor.details, queues.since, queues.actions];
  return (
    <Listed id="waiting" title={queues.waiting} empty={queues.nobody} head={head} line={WaitingLine} {...rows} />
  );
}

// A picture that leaves a row as it was does not draw it again.
const same = (a: { row: object; withQueue: boolean }, b: { row: object; withQueue: boolean }) =>
  a.withQueue === b.withQueue && JSON.stringify(a.row) === JSON.stringify(b.row);

const WaitingLine = memo(function WaitingLine({ row, withQueue }: { row: WaitingRow; withQueue: boolean }) {
  const text = useText();
  const { call, caller: who, ringing } = row;
  const thing: Thing = { kind: 'waiting', call, who, ringing };
  const line = row.line === 'inside' ? text.floor.inside : text.floor.outside;
  const state = row.ringing.length > 0 ? text.floor.ringsAt(row.ringing.join(', ')) : text.floor.queued;
  return (
    <tr className={own.row} data-waiting={row.call} data-ringing={row.ringing.join(' ')} {...useHandle(thing)}>
      {withQueue && <td>{row.queue}</td>}
      <td>{row.position}</td>
      <th scope="row">
        {row.caller}
        {row.isCallback && ' (QCB)'}
      </th>
      <td>
        {line} · {state}
      </td>
      <td>
        <Timer since={row.since} />
      </td>
      <td>
        <More thing={thing} who={row.caller} />
      </td>
    </tr>
  );
}, same);

export function Active(rows: { rows: ActiveRow[]; withQueue: boolean }) {
  const { queues, floor } = useText();
  const head = [queues.caller, queues.agent, floor.details, queues.since, queues.actions];
  return <Listed id="active" title={queues.active} empty={queues.quiet} head={head} line={ActiveLine} {...rows} />;
}

const ActiveLine = memo(function ActiveLine({ row, withQueue }: { row: ActiveRow; withQueue: boolean }) {
  const text = useText();
  const thing: Thing = { kind: 'active', call: row.call, who: row.caller };
  const line = row.line === 'inside' ? text.floor.inside : text.floor.outside;
  return (
    <tr className={own.row} data-active={row.call} data-by={row.agent} {...useHandle(thing)}>
      {withQueue && <td>{row.queue}</td>}
      <th scope="row">
        {row.caller}
        {row.isCallback && ' (QCB)'}
      </th>
      <td>{row.agent}</td>
      <td>
        {line} · {row.isHeld ? text.phone.state.held : text.phone.state.up}
        {row.watched.map((it) => ` · ${text.floor.attends[it.mode](it.by)}`)}
      </td>
      <td>
        <Timer since={row.since} />
      </td>
      <td>
        <More thing={thing} who={row.caller} />
      </td>
    </tr>
  );
}, same);

export type View = 'standard' | 'compact';

interface AgentsProps {
  rows: AgentRow[];
  total: number;
  withQueue: boolean;
  view: View;
  onView: (view: View) => void;
  filter: AgentFilter;
  onFilter: (filter: AgentFilter) => void;
}

export function Agents({ rows, total, withQueue, view, onView, filter, onFilter }: AgentsProps) {
  const text = useText();
  return (
    <section className={style.card} aria-labelledby="agents">
      <h2 id="agents">
        {text.floor.agents} ({rows.length})
      </h2>
      <div className={own.bar}>
        <Field
          label={text.floor.search}
          value={filter.search}
          onChange={(search) => onFilter({ ...filter, search })}
        />
        <Choice
          label={text.floor.show}
          value={filter.working ? 'working' : 'all'}
          options={[
            { id: 'all', name: text.floor.everybody },
            { id: 'working', name: text.floor.working },
          ]}
          onChange={(chosen) => onFilter({ ...filter, working: chosen === 'working' })}
        />
        <Choice
          label={text.floor.view}
          value={view}
          options={[
            { id: 'standard', name: text.floor.standard },
            { id: 'compact', name: text.floor.compact },
          ]}
          onChange={(chosen) => onView(chosen as View)}
        />
      </div>
      {rows.length === 0 && <p className={style.hint}>{total === 0 ? text.queues.noAgents : text.floor.noMatch}</p>}
      <ul className={own.agents} data-view={view}>
        {rows.map((row) => (
          <AgentCard key={row.key} row={row} withQueue={withQueue} />
        ))}
      </ul>
    </section>
  );
}

const AgentCard = memo(function AgentCard({ row, withQueue }: { row: AgentRow; withQueue: boolean }) {
  const text = useText();
  const { agent, queue, name } = row;
  const { offer, drop, ring } = useCommands();
  const [isOver, setIsOver] = useState(false);
  const here = agent.memberships.filter((it) => it.queue === queue);
  const state = shown({ ...agent, memberships: here });
  const words = useStates();
  const thing: Thing = { kind: 'agent', queue, agent };
  return (
    <li
      className={own.agent}
      data-agent={agent.extension}
      data-state={state}
      data-over={isOver}
      title={words[state]}
      onDoubleClick={() => ring(agent.extension)}
      onContextMenu={(event) => {
        event.preventDefault();
        offer(thing, event.currentTarget.querySelector('button') ?? event.currentTarget);
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAGGED)) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        drop(agent.extension);
      }}
    >
      <span aria-hidden className={own.mark} data-state={state} />
      <span>
        {name !== '' && `${name} `}
        {agent.extension}
        {withQueue && ` · ${queue}`}
      </span>
      <More thing={thing} who={agent.extension} />
      <span className={own.state}>
        {words[state]} <Timer since={agent.since} />
      </span>
    </li>
  );
}, same);
