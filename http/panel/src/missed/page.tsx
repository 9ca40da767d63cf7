// The queue call log: missed calls and how far somebody takes care of them.

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { QueueStatus } from '../api/types';
import { useClient, usePhone } from '../house';
import { clock } from '../live/floor';
import { Button, Choice, Fault, Field, number, Popup, style } from '../parts';
import { useSpoken, useText } from '../text';
import {
  type Change,
  claim,
  claimant,
  type Entry,
  entryPath,
  everything,
  operator,
  pathOf,
  type Processing,
  type Sought,
  STATES,
} from './log';

interface Some {
  items: Entry[];
  next_cursor: string | null;
}

// What is asked before it is done.
type Question = { ask: 'remove' | 'call'; entry: Entry } | null;

export function MissedPage() {
  const { text } = useSpoken();
  const { client } = useClient();
  const queries = useQueryClient();
  const [sought, setSought] = useState<Sought>(everything);
  const [question, setQuestion] = useState<Question>(null);
  const log = useInfiniteQuery({
    queryKey: ['queue-log', sought],
    queryFn: ({ pageParam }) => client.get<Some>(pathOf(sought, pageParam)),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // Others work on it too.
    refetchInterval: 5_000,
  });
  const again = () => queries.invalidateQueries({ queryKey: ['queue-log'] });
  const mark = useMutation({
    mutationFn: ({ entry, state }: { entry: Entry; state: Processing }) =>
      client.request('PATCH', entryPath(entry.id), { state, from: entry.state }),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: (entry: Entry) => client.request('DELETE', entryPath(entry.id)),
    onSettled: again,
  });
  const dial = useDial(again);
  const call = (entry: Entry) => {
    if (claimant(entry, client.principal.name) === null) dial.mutate(entry);
    else setQuestion({ ask: 'call', entry });
  };
  const entries = log.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h1>{text.missed.title}</h1>
      <section className={style.card}>
        <Filters sought={sought} onChange={setSought} />
        <Fault error={log.error ?? mark.error ?? remove.error ?? dial.error} />
        <p role="status">{dial.isSuccess ? text.missed.ringing(dial.variables.caller) : ''}</p>
        {entries.length === 0 ? (
          <p className={style.hint}>{text.missed.none}</p>
        ) : (
          <Entries
            entries={entries}
            onMark={(entry, state) => mark.mutate({ entry, state })}
            onCall={call}
            onRemove={(entry) => setQuestion({ ask: 'remove', entry })}
          />
        )}
        {log.hasNextPage && (
          <div>
            <Button isDisabled={log.isFetchingNextPage} onPress={() => void log.fetchNextPage()}>
              {text.calls.more}
            </Button>
          </div>
        )}
      </section>
      {question !== null && (
        <Sure
          question={question}
          onClose={() => setQuestion(null)}
          onYes={() => {
            if (question.ask === 'remove') remove.mutate(question.entry);
            else dial.mutate(question.entry);
            setQuestion(null);
          }}
        />
      )}
    </>
  );
}

// Claims the call, then dials it with the user's own rights: in the page where the phone
// is here, else at the telephone on the desk.
function useDial(again: () => Promise<void>) {
  const { client, line } = useClient();
  const phone = usePhone();
  return useMutation({
    mutationFn: async (entry: Entry) => {
      const wish = claim(entry);
      if (wish !== null) await client.request('PATCH', entryPath(entry.id), wish);
      const to = entry.caller;
      if (line !== null && phone.state?.link === 'up') await line.ask({ name: 'dial', to });
      else await client.post('/api/v1/calls', { from: client.principal.extension, to });
    },
    onSettled: again,
  });
}

function Filters({ sought, onChange }: { sought: Sought; onChange: (sought: Sought) => void }) {
  const text = useText();
  const { client } = useClient();
  const queues = useQuery({
    queryKey: ['queues', 'statuses'],
    queryFn: () => client.get<{ items: QueueStatus[] }>('/api/v1/queue-statuses'),
  });
  const all = { id: '', name: text.missed.all };
  const known = (queues.data?.items ?? []).map(({ number: id, name }) => ({ id, name: `${id} ${name}` }));
  return (
    <div className={style.row}>
      <Choice
        label={text.missed.kind}
        value={sought.kind}
        options={[
          all,
          { id: 'missed', name: text.missed.outcomes.missed },
          { id: 'inbound', name: text.missed.outcomes.answered },
        ]}
        onChange={(kind) => onChange({ ...sought, kind: kind as Sought['kind'] })}
      />
      <Choice
        label={text.missed.state}
        value={sought.state}
        options={[all, ...STATES.map((id) => ({ id, name: text.missed.states[id] }))]}
        onChange={(state) => onChange({ ...sought, state: state as Sought['state'] })}
      />
      <Choice
        label={text.calls.queue}
        value={sought.queue}
        options={[all, ...known]}
        onChange={(queue) => onChange({ ...sought, queue })}
      />
      <Field
        label={text.missed.search}
        value={sought.search}
        onChange={(search) => onChange({ ...sought, search })}
        autoComplete="off"
      />
    </div>
  );
}

interface EntriesProps {
  entries: Entry[];
  onMark: (entry: Entry, state: Processing) => void;
  onCall: (entry: Entry) => void;
  onRemove: (entry: Entry) => void;
}

function Entries({ entries, onMark, onCall, onRemove }: EntriesProps) {
  const { text, language } = useSpoken();
  const { client } = useClient();
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });
  const mayCall = Boolean(client.principal.extension);
  return (
    <div className={style.scroll}>
      <table className={style.table}>
        <thead>
          <tr>
            <th scope="col">{text.calls.from}</th>
            <th scope="col">{text.missed.kind}</th>
            <th scope="col">{text.calls.queue}</th>
            <th scope="col">{text.calls.started}</th>
            <th scope="col">{text.missed.duration}</th>
            <th scope="col">{text.note.text}</th>
            <th scope="col">{text.missed.state}</th>
            <th scope="col">{text.missed.actions}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id} onDoubleClick={() => mayCall && onCall(entry)}>
              <td>
                {number(entry.caller)} {entry.caller_name}
              </td>
              <td>{text.missed.outcomes[entry.outcome]}</td>
              <td>
                {entry.queue} {entry.queue_name}
              </td>
              <td>{when.format(new Date(entry.joined_at))}</td>
              <td>{clock((entry.talk_secs ?? entry.wait_secs) * 1000)}</td>
              <td>{entry.note?.text ?? ''}</td>
              <td>
                <State entry={entry} onMark={(state) => onMark(entry, state)} />
              </td>
              <td>
                <div className={style.row}>
                  <Button isDisabled={!mayCall} aria-label={text.missed.callBack(entry.caller)} onPress={() => onCall(entry)}>
                    {text.missed.call}
                  </Button>
                  <Button aria-label={text.missed.removeCall(entry.caller)} onPress={() => onRemove(entry)}>
                    {text.admin.remove}
                  </Button>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function State({ entry, onMark }: { entry: Entry; onMark: (state: Processing) => void }) {
  const text = useText();
  if (entry.state === null) return <>–</>;
  return (
    <>
      <select
        className={style.input}
        aria-label={text.missed.stateOf(entry.caller)}
        value={entry.state}
        onChange={(event) => onMark(event.target.value as Processing)}
      >
        {STATES.map((state) => (
          <option key={state} value={state}>
            {text.missed.states[state]}
          </option>
        ))}
      </select>
      {entry.changes.length > 0 && (
        <details>
          <summary>{operator(entry.changes[0] as Change)}</summary>
          <ul>
            {entry.changes.map((change) => (
              <li key={`${change.at} ${change.to}`}>
                <Changed change={change} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Changed({ change }: { change: Change }) {
  const { text, language } = useSpoken();
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });
  return (
    <span className={style.hint}>
      {text.missed.states[change.to]} · {operator(change)} · {when.format(new Date(change.at))}
      {change.auto_sync && ` · ${text.missed.autoSync}`}
    </span>
  );
}

interface SureProps {
  question: NonNullable<Question>;
  onClose: () => void;
  onYes: () => void;
}

function Sure({ question, onClose, onYes }: SureProps) {
  const text = useText();
  const { client } = useClient();
  const { ask, entry } = question;
  const who = claimant(entry, client.principal.name);
  const title = ask === 'remove' ? text.admin.sure(entry.caller) : text.missed.callBack(entry.caller);
  return (
    <Popup title={title} onClose={onClose}>
      {ask === 'call' && who !== null && <p>{text.missed.claimed(operator(who))}</p>}
      <div className={style.row}>
        <Button look={ask === 'remove' ? 'danger' : 'main'} onPress={onYes}>
          {ask === 'remove' ? text.admin.remove : text.missed.call}
        </Button>
        <Button onPress={onClose}>{text.admin.cancel}</Button>
      </div>
    </Popup>
  );
}
