// Administration: lists and forms of everything that is provisioned.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';

import { Refused, type Tagged } from '../api/client';
import type { FieldProblem } from '../api/types';
import { useClient } from '../house';
import { Button, Fault, Popup, style } from '../parts';
import { useText } from '../text';
import own from './admin.module.css';
import { FieldsInput } from './form';
import { blank, bodyOf, cleaned, type Document, type Fields } from './schema';

// What a resource is known by, and the columns of its list.
export const KINDS = {
  extensions: { key: 'number', columns: ['name', 'enabled'] },
  queues: { key: 'number', columns: ['name', 'ring_strategy'] },
  'ring-groups': { key: 'number', columns: ['name', 'strategy'] },
  ivrs: { key: 'number', columns: ['name'] },
  'call-flows': { key: 'number', columns: ['name'] },
  'group-voicemails': { key: 'number', columns: ['name'] },
  'time-profiles': { key: 'name', columns: ['zone'] },
  contacts: { key: 'id', columns: ['name', 'company'] },
  trunks: { key: 'name', columns: ['host', 'mode', 'enabled'] },
  'inbound-routes': { key: 'name', columns: ['priority', 'enabled'] },
  'outbound-routes': { key: 'name', columns: ['priority', 'enabled'] },
  users: { key: 'name', columns: ['role', 'extension'] },
  'api-tokens': { key: 'id', columns: ['name', 'role'] },
} as const;

type Kind = keyof typeof KINDS;

export function AdminPage() {
  const text = useText();
  const { kind } = useParams({ from: '/admin/$kind' });
  return (
    <>
      <h1>{text.admin.title}</h1>
      <nav aria-label={text.admin.title} className={own.kinds}>
        {[...Object.keys(KINDS), 'settings'].map((it) => (
          <Link key={it} to="/admin/$kind" params={{ kind: it }}>
            {text.admin.kinds[it as Kind | 'settings']}
          </Link>
        ))}
      </nav>
      {kind in KINDS && <List key={kind} kind={kind as Kind} />}
      {kind === 'settings' && <Settings />}
    </>
  );
}

function useDocument(): Document | undefined {
  const { client } = useClient();
  return useQuery({
    queryKey: ['document'],
    queryFn: () => client.get<Document>('/api/openapi.json'),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

function List({ kind }: { kind: Kind }) {
  const text = useText();
  const { client } = useClient();
  const [open, setOpen] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const { key, columns } = KINDS[kind];
  const list = useQuery({
    queryKey: ['list', kind],
    queryFn: () => client.get<{ items: Fields[] }>(`/api/v1/${kind}?limit=200`),
  });
  const items = list.data?.items ?? [];
  const done = (word: string) => {
    setOpen(null);
    setSaid(word);
  };
  return (
    <section className={style.card}>
      <div className={style.spread}>
        <h2>{text.admin.kinds[kind]}</h2>
        <Button look="main" onPress={() => setOpen('')}>
          {text.admin.add}
        </Button>
      </div>
      <p role="status">{said}</p>
      <Fault error={list.error} />
      {list.isSuccess && items.length === 0 && <p className={style.hint}>{text.admin.empty}</p>}
      {items.length > 0 && (
        <div className={style.scroll}>
          <table className={style.table}>
            <caption className={style.hidden}>{text.admin.kinds[kind]}</caption>
            <tbody>
              {items.map((item) => {
                const name = String(item[key]);
                return (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    {columns.map((column) => (
                      <td key={column}>{cell(item[column])}</td>
                    ))}
                    <td>
                      <Button aria-label={`${text.admin.edit}: ${name}`} onPress={() => setOpen(name)}>
                        {text.admin.edit}
                      </Button>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {open !== null && <Editor kind={kind} name={open} onDone={done} onClose={() => setOpen(null)} />}
    </section>
  );
}

const cell = (value: unknown): string => (value === true ? '✓' : value === false ? '✗' : String(value ?? '–'));

interface EditorProps {
  kind: Kind;
  // Empty: a new one.
  name: string;
  onDone: (word: string) => void;
  onClose: () => void;
}

function Editor({ kind, name, onDone, onClose }: EditorProps) {
  const text = useText();
  const { client } = useClient();
  const document = useDocument();
  const isNew = name === '';
  const path = `/api/v1/${kind}/${encodeURIComponent(name)}`;
  const stored = useQuery({
    queryKey: ['one', kind, name],
    queryFn: () => client.request<Fields>('GET', path),
    enabled: !isNew,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const title = isNew ? `${text.admin.kinds[kind]}: ${text.admin.add}` : `${text.admin.kinds[kind]}: ${name}`;
  if (document === undefined || (!isNew && stored.data === undefined)) {
    return (
      <Popup title={title} onClose={onClose}>
        <Fault error={stored.error} />
        <Button onPress={onClose}>{text.admin.cancel}</Button>
      </Popup>
    );
  }
  const schema = bodyOf(document, `/api/v1/${kind}`, 'post');
  const begun = isNew ? { value: blank(document, schema) as Fields, etag: '' } : (stored.data as Tagged<Fields>);
  return (
    <Popup title={title} onClose={onClose}>
      <Form
        key={begun.etag}
        schema={schema}
        document={document}
        begun={begun}
        fixed={isNew ? [] : [KINDS[kind].key]}
        save={(value, etag) =>
          isNew
            ? client.request<Fields>('POST', `/api/v1/${kind}`, cleaned(value))
            : client.request<Fields>('PUT', path, cleaned(value), etag)
        }
        remove={isNew ? undefined : (etag) => client.request('DELETE', path, undefined, etag)}
        reload={() => void stored.refetch()}
        invalid={kind}
        onDone={onDone}
        onClose={onClose}
        name={name}
      />
    </Popup>
  );
}

interface FormProps {
  schema: ReturnType<typeof bodyOf>;
  document: Document;
  begun: Tagged<Fields>;
  fixed: string[];
  save: (value: Fields, etag: string) => Promise<Tagged<Fields>>;
  remove?: ((etag: string) => Promise<unknown>) | undefined;
  reload: () => void;
  invalid: string;
  name: string;
  onDone: (word: string) => void;
  onClose: () => void;
}

// What the node saved, but finds worth a second look.
export function warningsOf(saved: Fields | null | undefined): FieldProblem[] {
  const found: unknown = saved?.['warnings'];
  return Array.isArray(found) ? (found as FieldProblem[]) : [];
}

function Form({ schema, document, begun, fixed, save, remove, reload, invalid, name, onDone, onClose }: FormProps) {
  const text = useText();
  const queries = useQueryClient();
  // What the list shows but a form can not send.
  const known = Object.keys(schema.properties ?? {});
  const [value, setValue] = useState<Fields>(
    Object.fromEntries(Object.entries(begun.value).filter(([field]) => known.includes(field))),
  );
  const [isSure, setIsSure] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [warnings, setWarnings] = useState<FieldProblem[]>([]);
  const after = () => queries.invalidateQueries({ queryKey: ['list', invalid] });
  const saving = useMutation({
    mutationFn: () => save(value, begun.etag),
    onSuccess: (answer) => {
      void after();
      const shown = answer.value?.['token'];
      // A token's text is shown this once.
      if (typeof shown === 'string') return setSecret(shown);
      const found = warningsOf(answer.value);
      if (found.length > 0) return setWarnings(found);
      return onDone(text.admin.saved);
    },
  });
  const removing = useMutation({
    mutationFn: async () => remove?.(begun.etag),
    onSuccess: () => {
      void after();
      onDone(text.admin.removed);
    },
  });
  const error = saving.error ?? removing.error;
  const problem = error instanceof Refused ? error.problem : null;
  const isStale = problem?.status === 412;
  if (secret !== null) {
    return (
      <>
        <p>{text.admin.secret}</p>
        <code className={style.notice}>{secret}</code>
        <Button onPress={() => onDone(text.admin.saved)}>{text.keys.close}</Button>
      </>
    );
  }
  if (warnings.length > 0) {
    return (
      <>
        <div role="alert">
          <p>{text.admin.warnings}</p>
          <ul>
            {warnings.map((it) => (
              <li key={it.pointer + it.code}>{it.detail}</li>
            ))}
          </ul>
        </div>
        <Button onPress={() => onDone(text.admin.saved)}>{text.keys.close}</Button>
      </>
    );
  }
  return (
    <form
      className={own.form}
      // The node judges: a browser would not send again what is marked as wrong.
      noValidate
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        saving.mutate();
      }}
    >
      {isStale ? (
        <div role="alert" className={style.fault}>
          <p>{text.admin.conflict}</p>
          <Button onPress={reload}>{text.admin.theirs}</Button>
        </div>
      ) : (
        <Fault error={error} />
      )}
      <FieldsInput
        document={document}
        schema={schema}
        pointer=""
        value={value}
        errors={problem?.errors ?? []}
        onChange={(next) => setValue(next as Fields)}
        fixed={fixed}
      />
      <div className={style.row}>
        <Button type="submit" look="main" isDisabled={saving.isPending}>
          {text.admin.save}
        </Button>
        <Button onPress={onClose}>{text.admin.cancel}</Button>
        {remove !== undefined && !isSure && (
          <Button onPress={() => setIsSure(true)}>{text.admin.remove}</Button>
        )}
        {isSure && (
          <Button look="danger" onPress={() => removing.mutate()}>
            {text.admin.sure(name)}
          </Button>
        )}
      </div>
    </form>
  );
}

function Settings() {
  const text = useText();
  const { client } = useClient();
  const document = useDocument();
  const [said, setSaid] = useState('');
  const stored = useQuery({
    queryKey: ['one', 'settings'],
    queryFn: () => client.request<Fields>('GET', '/api/v1/settings'),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  if (document === undefined || stored.data === undefined) return <Fault error={stored.error} />;
  return (
    <section className={style.card}>
      <h2>{text.admin.kinds.settings}</h2>
      <p role="status">{said}</p>
      <Form
        key={stored.data.etag}
        schema={bodyOf(document, '/api/v1/settings', 'put')}
        document={document}
        begun={stored.data}
        fixed={[]}
        save={(value, etag) => client.request<Fields>('PUT', '/api/v1/settings', value, etag)}
        reload={() => void stored.refetch()}
        invalid="settings"
        name=""
        onDone={(word) => {
          setSaid(word);
          void stored.refetch();
        }}
        onClose={() => void stored.refetch()}
      />
    </section>
  );
}
