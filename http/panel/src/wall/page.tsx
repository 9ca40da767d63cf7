// The wallboard page: choosing one, arranging it, and getting it onto a screen.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import type { Tile, Wallboard } from '../api/types';
import floorStyle from '../floor/floor.module.css';
import { useClient, useFloor } from '../house';
import { Button, Choice, Fault, Field, Popup, style } from '../parts';
import { useText } from '../text';
import { Editor } from './editor';
import { layout } from './grid';
import { addressOf } from './screen';
import { AgentList, QueueList, Tiles, type View, ViewChoice } from './views';
import own from './wall.module.css';

interface Kept {
  board: Wallboard;
  // None: it was never saved.
  etag: string | null;
}

const PATH = '/api/v1/wallboards';
const CHOSEN = 'tandem.wallboard';
const MOST = 99;

export function WallPage() {
  const text = useText();
  const { client } = useClient();
  const list = useQuery({
    queryKey: ['list', 'wallboards'],
    queryFn: () => client.get<{ items: Wallboard[] }>(`${PATH}?limit=500`),
  });
  const names = list.data?.items.map((it) => it.name) ?? [];
  const self = client.principal.name.replace(/^\w+:/, '');
  const [chosen, setChosen] = useState(() => localStorage.getItem(CHOSEN));
  // The one of last time, else the user's own, else the first there is.
  const name = [chosen, self].find((it) => it !== null && names.includes(it)) ?? names[0] ?? self;
  const choose = (next: string) => {
    localStorage.setItem(CHOSEN, next);
    setChosen(next);
  };
  return (
    <>
      <h1>{text.wall.title}</h1>
      <Fault error={list.error} />
      {list.isSuccess && <Board key={name} name={name} names={names} onChoose={choose} />}
    </>
  );
}

function useBoard(name: string, isKept: boolean) {
  const { client } = useClient();
  const kept = useQuery({
    queryKey: ['list', 'wallboards', name],
    queryFn: async (): Promise<Kept> => {
      const { value, etag } = await client.request<Wallboard>('GET', `${PATH}/${name}`);
      return { board: value, etag };
    },
    enabled: isKept,
  });
  const unsaved: Kept = { board: { name, all: [], single: [], rotation_secs: 30 }, etag: null };
  return { kept: isKept ? kept.data : unsaved, error: kept.error };
}

interface BoardProps {
  name: string;
  names: string[];
  onChoose: (name: string) => void;
}

function Board({ name, names, onChoose }: BoardProps) {
  const text = useText();
  const { client } = useClient();
  const { kept, error } = useBoard(name, names.includes(name));
  const [queue, setQueue] = useState('');
  const [view, setView] = useState<View>('tiles');
  const [isEdited, setIsEdited] = useState(false);
  const [isMade, setIsMade] = useState(false);
  const queues = useQuery({
    queryKey: ['list', 'queues'],
    queryFn: () => client.get<{ items: { number: string; name: string }[] }>('/api/v1/queues?limit=500'),
  });
  const all = queues.data?.items ?? [];
  const numbers = queue === '' ? all.slice(0, MOST).map((it) => it.number) : [queue];
  const floor = useFloor(numbers);
  const shown = numbers.flatMap((number) => floor.queues.get(number) ?? []);
  if (kept === undefined) return <Fault error={error} />;
  if (isEdited) return <Edit kept={kept} queue={queue} shown={shown} onDone={() => setIsEdited(false)} />;
  const tiles = layout(queue === '' ? kept.board.all : kept.board.single);
  const options = all.map((it) => ({ id: it.number, name: `${it.name} [${it.number}]` }));
  return (
    <>
      <div className={floorStyle.bar}>
        {names.length > 0 && (
          <Choice
            label={text.wall.title}
            value={name}
            options={[...new Set([...names, name])].map((id) => ({ id, name: id }))}
            onChange={onChoose}
          />
        )}
        <Choice
          label={text.floor.scope}
          value={queue}
          options={[{ id: '', name: text.floor.all }, ...options]}
          onChange={setQueue}
        />
        <ViewChoice value={view} onChange={setView} />
        <Button onPress={() => setIsEdited(true)}>{text.wall.arrange}</Button>
        <Button onPress={() => setIsMade(true)}>{text.wall.another}</Button>
        {kept.etag !== null && <Screens board={kept.board} queue={queue === '' ? null : queue} />}
      </div>
      {view === 'tiles' && <Tiles tiles={tiles} queues={shown} />}
      {view === 'queues' && <QueueList queues={shown} />}
      {view === 'agents' && <AgentList queues={shown} />}
      {isMade && <Another onClose={() => setIsMade(false)} onMade={onChoose} />}
    </>
  );
}

// A window of its own, and the address for a screen on a wall with a token that can only look.
function Screens({ board, queue }: { board: Wallboard; queue: string | null }) {
  const text = useText();
  const { client } = useClient();
  const [isOpen, setIsOpen] = useState(false);
  const make = useMutation({
    mutationFn: () =>
      client.post<{ token: string }>('/api/v1/api-tokens', { name: `wallboard ${board.name}`, role: 'wallboard' }),
  });
  const place = { board: board.name, queue, rotate: false };
  const address = make.isSuccess
    ? `${location.origin}${location.pathname}${addressOf({ ...place, rotate: true, token: make.data.token })}`
    : '';
  return (
    <>
      <Button onPress={() => window.open(`${location.pathname}${addressOf(place)}`, '_blank', 'popup,width=1280,height=800')}>
        {text.floor.separate}
      </Button>
      {client.principal.role === 'admin' && (
        <Button
          onPress={() => {
            make.reset();
            setIsOpen(true);
          }}
        >
          {text.wall.screen}
        </Button>
      )}
      {isOpen && (
        <Popup title={text.wall.screen} onClose={() => setIsOpen(false)}>
          <p>{text.wall.screenHint}</p>
          {make.isSuccess && (
            <p className={own.address} data-address>
              {address}
            </p>
          )}
          <Fault error={make.error} />
          <div className={style.row}>
            {!make.isSuccess && (
              <Button look="main" autoFocus isDisabled={make.isPending} onPress={() => make.mutate()}>
                {text.wall.makeAddress}
              </Button>
            )}
            <Button onPress={() => setIsOpen(false)}>{text.keys.close}</Button>
          </div>
        </Popup>
      )}
    </>
  );
}

function Another({ onClose, onMade }: { onClose: () => void; onMade: (name: string) => void }) {
  const text = useText();
  const { client } = useClient();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () => client.post<Wallboard>(PATH, { name }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['list', 'wallboards'] });
      onMade(name);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Popup title={text.wall.another} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Field label={text.wall.name} hint={text.wall.nameHint} value={name} onChange={setName} autoFocus isRequired />
        <Fault error={make.error} />
        <div className={style.row}>
          <Button type="submit" look="main" isDisabled={name === '' || make.isPending}>
            {text.admin.add}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
    </Popup>
  );
}

interface EditProps {
  kept: Kept;
  queue: string;
  shown: React.ComponentProps<typeof Tiles>['queues'];
  onDone: () => void;
}

// one layout for all queues together, one that all single queues share.
function Edit({ kept, queue, shown, onDone }: EditProps) {
  const text = useText();
  const { client } = useClient();
  const queries = useQueryClient();
  // What was there when the editing began: somebody else's change in the meantime is noticed.
  const [from] = useState(kept);
  const [draft, setDraft] = useState<Wallboard>(from.board);
  const [asked, setAsked] = useState<'leave' | 'remove' | null>(null);
  const part = queue === '' ? 'all' : 'single';
  const isChanged = draft !== from.board;
  // What is arranged next begins with what is there then.
  const again = () => queries.invalidateQueries({ queryKey: ['list', 'wallboards'] });
  const write = useMutation({
    mutationFn: (): Promise<unknown> =>
      from.etag === null
        ? client.post(PATH, draft)
        : client.request('PUT', `${PATH}/${draft.name}`, draft, from.etag),
    onSuccess: () => again().then(onDone),
  });
  const remove = useMutation({
    mutationFn: () => client.request('DELETE', `${PATH}/${draft.name}`, undefined, from.etag ?? undefined),
    onSuccess: () => again().then(onDone),
  });
  const isStale = write.error !== null && 'problem' in write.error && (write.error.problem as { status: number }).status === 412;
  const change = (tiles: Tile[]) => setDraft({ ...draft, [part]: tiles });
  return (
    <>
      <div className={floorStyle.bar}>
        <Button look="main" isDisabled={write.isPending} onPress={() => write.mutate()}>
          {text.admin.save}
        </Button>
        <Button onPress={() => (isChanged ? setAsked('leave') : onDone())}>{text.admin.cancel}</Button>
        <Button onPress={() => change([])}>{text.wall.reset}</Button>
        <Field
          label={text.wall.rotation}
          type="number"
          inputMode="numeric"
          value={String(draft.rotation_secs)}
          onChange={(value) => setDraft({ ...draft, rotation_secs: Number(value) || 0 })}
        />
        {from.etag !== null && (
          <Button look="danger" onPress={() => setAsked('remove')}>
            {text.admin.remove}
          </Button>
        )}
      </div>
      <p className={style.hint}>{part === 'all' ? text.wall.forAll : text.wall.forSingle}</p>
      {isStale ? (
        <p role="alert" className={style.fault}>
          {text.admin.conflict} <Button onPress={() => void again().then(onDone)}>{text.admin.theirs}</Button>
        </p>
      ) : (
        <Fault error={write.error ?? remove.error} />
      )}
      <Editor tiles={layout(draft[part])} queues={shown} onChange={change} />
      {asked !== null && (
        <Popup
          title={asked === 'leave' ? text.wall.drop : text.admin.sure(draft.name)}
          onClose={() => setAsked(null)}
        >
          <div className={style.row}>
            <Button look="danger" autoFocus onPress={() => (asked === 'leave' ? onDone() : remove.mutate())}>
              {asked === 'leave' ? text.wall.dropThem : text.admin.remove}
            </Button>
            <Button onPress={() => setAsked(null)}>{text.phone.cancel}</Button>
          </div>
        </Popup>
      )}
    </>
  );
}
