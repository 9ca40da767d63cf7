// The queue panel: every queue's figures, who waits, who talks, the agents, and what can be done
// with them, by mouse or keyboard.

import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import type { Agent, Page, QueueStatus } from '../api/types';
import { useClient } from '../house';
import { clock, isFree, shown } from '../live/floor';
import { Button, Fault, Field, Popup, style, Timer, useNow } from '../parts';
import { useText } from '../text';

interface Known {
  number: string;
  name: string;
}

export function QueuesPage() {
  const text = useText();
  const { client } = useClient();
  const list = useQuery({
    queryKey: ['list', 'queues'],
    queryFn: () => client.get<Page<Known>>('/api/v1/queues?limit=200'),
  });
  const all = list.data?.items ?? [];
  const states = useQueries({
    queries: all.map(({ number }) => ({
      queryKey: ['queue', number],
      queryFn: () => client.get<QueueStatus>(`/api/v1/queues/${number}/status`),
      refetchInterval: 10_000,
    })),
  });
  return (
    <>
      <h1>{text.queues.title}</h1>
      <Fault error={list.error} />
      {list.isSuccess && all.length === 0 && <p>{text.queues.empty}</p>}
      {states.map(({ data }) => data !== undefined && <QueueCard key={data.number} queue={data} />)}
    </>
  );
}

function QueueCard({ queue }: { queue: QueueStatus }) {
  const text = useText();
  const now = useNow();
  const oldest = queue.waiting.map((it) => Date.parse(it.joined_at)).reduce((a, b) => Math.min(a, b), now);
  const tiles: [string, string | number][] = [
    [text.queues.waiting, queue.waiting.length],
    [text.queues.longest, queue.waiting.length === 0 ? '–' : clock(now - oldest)],
    [text.queues.active, queue.active.length],
    [text.queues.free, queue.agents.filter((agent) => isFree(agent, queue.number)).length],
    [text.queues.total, queue.total],
    [text.queues.answered, queue.answered],
    [text.queues.missed, queue.missed],
    [text.queues.abandoned, queue.abandoned],
  ];
  return (
    <section className={style.card} aria-label={`${queue.number} ${queue.name}`}>
      <h2>
        {queue.number} {queue.name}
      </h2>
      <dl className={style.tiles}>
        {tiles.map(([what, value]) => (
          <div key={what} className={style.tile}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Waiting queue={queue} />
      <Active queue={queue} />
      <Agents queue={queue} />
    </section>
  );
}

function Waiting({ queue }: { queue: QueueStatus }) {
  const text = useText();
  if (queue.waiting.length === 0) return <p className={style.hint}>{text.queues.nobody}</p>;
  return (
    <Table
      title={text.queues.waiting}
      head={[text.queues.position, text.queues.caller, text.queues.since, text.queues.rings, text.queues.actions]}
      rows={queue.waiting.map((it) => ({
        key: it.call,
        cells: [it.position, it.caller, <Timer key="t" since={it.joined_at} />, it.ringing.join(', ')],
        call: it.call,
        who: it.caller,
      }))}
    />
  );
}

function Active({ queue }: { queue: QueueStatus }) {
  const text = useText();
  if (queue.active.length === 0) return <p className={style.hint}>{text.queues.quiet}</p>;
  return (
    <Table
      title={text.queues.active}
      head={[text.queues.agent, text.queues.since, text.queues.actions]}
      rows={queue.active.map((it) => ({
        key: it.call,
        cells: [it.agent, <Timer key="t" since={it.since} />],
        call: it.call,
        who: it.agent,
      }))}
    />
  );
}

interface Row {
  key: string;
  cells: React.ReactNode[];
  call: string;
  who: string;
}

function Table({ title, head, rows }: { title: string; head: string[]; rows: Row[] }) {
  return (
    <div className={style.scroll}>
      <table className={style.table}>
        <caption className={style.hidden}>{title}</caption>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              {row.cells.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
                <td key={index}>{cell}</td>
              ))}
              <td>
                <CallActions call={row.call} who={row.who} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// What a manager may do with a call of a queue.
function CallActions({ call, who }: { call: string; who: string }) {
  const text = useText();
  const { client } = useClient();
  const queries = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const [to, setTo] = useState('');
  const act = useMutation({
    mutationFn: ({ verb, body }: { verb: string; body: unknown }) => client.post(`/api/v1/calls/${call}/${verb}`, body),
    onSuccess: () => setIsOpen(false),
    onSettled: () => queries.invalidateQueries({ queryKey: ['queue'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate({ verb: 'transfer', body: { to } });
  };
  return (
    <div className={style.row}>
      <Button aria-label={`${text.queues.redirect}: ${who}`} onPress={() => setIsOpen(true)}>
        {text.queues.redirect}
      </Button>
      <Button aria-label={`${text.queues.hangUp}: ${who}`} onPress={() => act.mutate({ verb: 'hangup', body: {} })}>
        {text.queues.hangUp}
      </Button>
      {isOpen ? (
        <Popup title={`${text.queues.redirect}: ${who}`} onClose={() => setIsOpen(false)}>
          <form onSubmit={submit} className={style.field}>
            <Field label={text.phone.transferTo} value={to} onChange={setTo} inputMode="tel" autoFocus isRequired />
            <Fault error={act.error} />
            <div className={style.row}>
              <Button type="submit" look="main" isDisabled={to === ''}>
                {text.queues.redirect}
              </Button>
              <Button onPress={() => setIsOpen(false)}>{text.phone.cancel}</Button>
            </div>
          </form>
        </Popup>
      ) : (
        <Fault error={act.error} />
      )}
    </div>
  );
}

function Agents({ queue }: { queue: QueueStatus }) {
  const text = useText();
  if (queue.agents.length === 0) return <p className={style.hint}>{text.queues.noAgents}</p>;
  return (
    <div className={style.scroll}>
      <table className={style.table}>
        <thead>
          <tr>
            <th scope="col">{text.queues.agent}</th>
            <th scope="col">{text.queues.state}</th>
            <th scope="col">{text.queues.since}</th>
            <th scope="col">{text.queues.actions}</th>
          </tr>
        </thead>
        <tbody>
          {queue.agents.map((agent) => (
            <AgentRow key={agent.extension} agent={agent} queue={queue.number} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AgentRow({ agent, queue }: { agent: Agent; queue: string }) {
  const text = useText();
  const { client } = useClient();
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (verb: string) => client.post(`/api/v1/agents/${agent.extension}/${verb}`, { queue }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['queue'] }),
  });
  const here = agent.memberships.find((it) => it.queue === queue);
  const words = {
    idle: text.strip.idle,
    ringing: text.strip.ringing,
    talking: text.strip.talking,
    wrap_up: text.strip.wrapUp,
    paused: text.strip.paused,
    offline: text.strip.offline,
    logged_out: text.strip.loggedOut,
  };
  const own = here === undefined ? agent : { ...agent, memberships: [here] };
  const button = (verb: string, name: string) => (
    <Button aria-label={`${name}: ${agent.extension}`} isDisabled={act.isPending} onPress={() => act.mutate(verb)}>
      {name}
    </Button>
  );
  return (
    <tr>
      <th scope="row">{agent.extension}</th>
      <td>{words[shown(own)]}</td>
      <td>
        <Timer since={agent.since} />
      </td>
      <td>
        <div className={style.row}>
          {here?.membership === 'dynamic' &&
            (here.logged_in ? button('logout', text.queues.logOut) : button('login', text.queues.logIn))}
          {here?.logged_in &&
            (here.paused ? button('resume', text.queues.resume) : button('pause', text.queues.pause))}
          <Fault error={act.error} />
        </div>
      </td>
    </tr>
  );
}
