// One call: its parties, and what happened in the order of time. SIP messages are drawn as arrows
// between the node and each far end.

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';

import type { Call, CallRecord, TraceItem } from '../api/types';
import { useClient } from '../house';
import { clock } from '../live/floor';
import { Fault, style, Timer } from '../parts';
import { useSpoken, useText } from '../text';
import own from './call.module.css';
import { NoteEditor } from './note';

export function CallPage() {
  const text = useText();
  const { client } = useClient();
  const { id } = useParams({ from: '/calls/$id' });
  const isAgent = client.principal.role === 'agent';
  const live = useQuery({
    queryKey: ['calls', id],
    queryFn: () => client.get<Call>(`/api/v1/calls/${id}`),
  });
  const record = useQuery({
    queryKey: ['calls', id, 'record'],
    queryFn: () => client.get<CallRecord>(`/api/v1/call-records/${id}`),
  });
  const ends = live.data ?? record.data;
  const trace = useQuery({
    queryKey: ['calls', id, 'trace'],
    queryFn: () => client.get<{ items: TraceItem[] }>(`/api/v1/calls/${id}/trace`),
    enabled: !isAgent,
  });
  return (
    <>
      <p>
        <Link to="/calls">{text.calls.back}</Link>
      </p>
      <h1>
        {text.calls.call} {ends !== undefined && `${ends.from} → ${ends.to}`}
      </h1>
      {live.data !== undefined && <Parties call={live.data} />}
      {live.data === undefined && record.data !== undefined && <Ended record={record.data} />}
      {ends !== undefined && (
        <section className={style.card} aria-labelledby="note-title">
          <h2 id="note-title">{text.note.title(ends.from)}</h2>
          <NoteEditor call={id} />
        </section>
      )}
      {!isAgent && (
        <section className={style.card}>
          <h2>{text.calls.ladder}</h2>
          {trace.data !== undefined && <Ladder items={trace.data.items} />}
          {trace.isError && <p className={style.hint}>{text.calls.noTrace}</p>}
        </section>
      )}
      {isAgent && ends === undefined && <Fault error={record.error} />}
    </>
  );
}

function Ended({ record }: { record: CallRecord }) {
  const { text, language } = useSpoken();
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });
  const facts: [string, string][] = [
    [text.calls.started, when.format(new Date(record.started_at))],
    [text.calls.outcome, text.calls.outcomes[record.outcome] ?? record.outcome],
    [text.calls.talk, clock(record.talk_secs * 1000)],
    [text.queues.agent, record.answered_by ?? '–'],
  ];
  return (
    <dl className={style.tiles}>
      {facts.map(([what, value]) => (
        <div key={what} className={style.tile}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Parties({ call }: { call: Call }) {
  const text = useText();
  return (
    <section className={style.card}>
      <h2>{text.calls.parties}</h2>
      <ul>
        {call.legs.map((leg) => (
          <li key={leg.index}>
            {leg.number} · {leg.party} · {leg.state} <Timer since={leg.since} />
          </li>
        ))}
      </ul>
    </section>
  );
}

// The far ends in the order in which they speak up.
export function peersOf(items: TraceItem[]): string[] {
  return [...new Set(items.flatMap((item) => (item.type === 'sip' ? [item.peer] : [])))];
}

// Milliseconds since the first line.
export function offset(items: TraceItem[], at: string): number {
  const [first] = items;
  return first === undefined ? 0 : Date.parse(at) - Date.parse(first.at);
}

function Ladder({ items }: { items: TraceItem[] }) {
  const text = useText();
  const peers = peersOf(items);
  const columns = { gridTemplateColumns: `6rem repeat(${peers.length + 1}, minmax(9rem, 1fr))` };
  const place = (peer: string) => peers.indexOf(peer) + 3;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={own.scroll} tabIndex={0} aria-label={text.calls.ladder}>
      <div className={own.head} style={columns}>
        <span />
        <strong>{text.calls.node}</strong>
        {peers.map((peer) => (
          <strong key={peer}>{peer}</strong>
        ))}
      </div>
      <ol className={own.lines}>
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added
          <li key={index} className={own.line} style={columns}>
            <time dateTime={item.at}>{(offset(items, item.at) / 1000).toFixed(3)} s</time>
            {item.type === 'sip' && (
              <details className={own.message} style={{ gridColumn: `2 / ${place(item.peer) + 1}` }}>
                <summary className={item.received ? own.in : own.out}>{item.summary}</summary>
                <pre>{item.text}</pre>
              </details>
            )}
            {item.type === 'decision' && (
              <p className={own.note}>
                <strong>{text.calls.decision}</strong> {item.code}: {item.detail}
              </p>
            )}
            {item.type === 'media' && (
              <details className={own.note}>
                <summary>{text.calls.media(item.leg)}</summary>
                <ul>
                  {item.figures.map((figure) => (
                    <li key={figure.name}>
                      {figure.name}: {figure.value}
                    </li>
                  ))}
                </ul>
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
