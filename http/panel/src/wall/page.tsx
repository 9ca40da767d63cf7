// The wallboard page: choosing one, arranging it, and getting it onto a screen.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import type { Tile, Wallboard } from '../api/types';
import floorStyle from '../floor/floor.module.css';
import { useConsole } from '../floor/groups';
import { groupOf, isSingle, type Known, known, numbersOf, scopes } from '../floor/scopes';
import { useClient, useFloor } from '../house';
import { Button, Choice, Fault, Field, Popup, style } from '../parts';
import { useText } from '../text';
import { Editor } from './editor';
import { layout } from './grid';
import { addressOf } from './screen';
import { AgentList, QueueList, Tiles, type View, ViewChoice } from './views';
import own from './wall.module.css';

const PATH = '/api/v1/wallboards';
const OWN_PATH = '/api/v1/session/console';
const CHOSEN = 'tandem.wallboard';
// The board of the user alone; shared ones have a name.
const OWN = '';

type Layouts = Pick<Wallboard, 'all' | 'single' | 'rotation_secs'>;

interface Kept {
  layouts: Layouts;
  // Writes them back, where nobody else has written meanwhile.
  save: (layouts: Layouts) => Promise<unknown>;
  // None: it can not be deleted.
  remove: (() => Promise<unknown>) | null;
}

export function WallPage() {
  const text = useText();
  const { client } = useClient();
  const list = useQuery({
    queryKey: ['list', 'wallboards'],
    queryFn: () => client.get<{ items: Wallboard[] }>(`${PATH}?limit=500`),
  });
  const names = list.data?.items.map((it) => it.name) ?? [];
  const [chosen, setChosen] = useState(() => localStorage.getItem(CHOSEN));
  // The one of last time, else the user's own.
  const name = chosen !== null && names.includes(chosen) ? chosen : OWN;
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

function useShared(name: string) {
  const { client } = useClient();
  const path = `${PATH}/${name}`;
  const kept = useQuery({
    queryKey: ['list', 'wallboards', name],
    queryFn: () => client.request<Wallboard>('GET', path),
    enabled: name !== OWN,
  });
  const { data } = kept;
  const found: Kept | undefined = data && {
    layouts: data.value,
    save: (layouts) => client.request('PUT', path, { ...data.value, ...layouts }, data.etag),
    remove: () => client.request('DELETE', path, undefined, data.etag),
  };
  return { found, error: kept.error };
}

function useOwn() {
  const { client } = useClient();
  const kept = useConsole();
  const { data } = kept;
  const found: Kept | undefined = data && {
    layouts: data.value,
    save: (layouts) => client.request('PUT', OWN_PATH, { ...data.value, ...layouts }, data.etag),
    remove: null,
  };
  return { found, error: kept.error, groups: data?.value.groups ?? [] };
}

interface BoardProps {
  name: string;
  names: string[];
  onChoose: (name: string) => void;
}

function Board({ name, names, onChoose }: BoardProps) {
  const text = useText();
  const { client } = useClient();
  const shared = useShared(name);
  const own = useOwn();
  const { found: kept, error } = name === OWN ? own : shared;
  const [wanted, setScope] = useState('');
  const [view, setView] = useState<View>('tiles');
  const [isEdited, setIsEdited] = useState(false);
  const [isMade, setIsMade] = useState(false);
  const queues = useQuery({
    queryKey: ['list', 'queues'],
    queryFn: () => client.get<{ items: Known[] }>('/api/v1/queues?limit=500'),
  });
  const all = queues.data?.items ?? [];
  const scope = known(wanted, own.groups);
  const numbers = numbersOf(scope, all, own.groups);
  const floor = useFloor(numbers);
  const shown = numbers.flatMap((number) => floor.queues.get(number) ?? []);
  if (kept === undefined) return <Fault error={error} />;
  if (isEdited) {
    const part = isSingle(scope) ? 'single' : 'all';
    return <Edit name={name} kept={kept} part={part} shown={shown} onDone={() => setIsEdited(false)} />;
  }
  const tiles = layout(isSingle(scope) ? kept.layouts.single : kept.layouts.all);
  const boards = [{ id: OWN, name: text.wall.own }, ...names.map((id) => ({ id, name: id }))];
  const place = { board: name, queue: isSingle(scope) ? scope : null, group: groupOf(scope), rotate: false };
  const separate = () => window.open(`${location.pathname}${addressOf(place)}`, '_blank', 'popup,width=1280,height=800');
  return (
    <>
      <div className={floorStyle.bar}>
        {names.length > 0 && <Choice label={text.wall.title} value={name} options={boards} onChange={onChoose} />}
        <Choice
          label={text.floor.scope}
          value={scope}
          options={scopes(text.floor.all, all, own.groups)}
          onChange={setScope}
        />
        <ViewChoice value={view} onChange={setView} />
        <Button onPress={() => setIsEdited(true)}>{text.wall.arrange}</Button>
        <Button onPress={() => setIsMade(true)}>{text.wall.another}</Button>
        <Button onPress={separate}>{text.floor.separate}</Button>
        {name !== OWN && client.principal.role === 'admin' && <Screens board={name} queue={place.queue} />}
      </div>
      {view === 'tiles' && <Tiles tiles={tiles} queues={shown} />}
      {view === 'queues' && <QueueList queues={shown} />}
      {view === 'agents' && <AgentList queues={shown} />}
      {isMade && <Another onClose={() => setIsMade(false)} onMade={onChoose} />}
    </>
  );
}

// The address for a screen on a wall, with a token that can only look.
function Screens({ board, queue }: { board: string; queue: string | null }) {
  const text = useText();
  const { client } = useClient();
  const [isOpen, setIsOpen] = useState(false);
  const make = useMutation({
    mutationFn: () =>
      client.post<{ token: string }>('/api/v1/api-tokens', { name: `wallboard ${board}`, role: 'wallboard' }),
  });
  const address = make.isSuccess
    ? `${location.origin}${location.pathname}${addressOf({ board, queue, group: null, rotate: true, token: make.data.token })}`
    : '';
  return (
    <>
      <Button
        onPress={() => {
          make.reset();
          setIsOpen(true);
        }}
      >
        {text.wall.screen}
      </Button>
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
  name: string;
  kept: Kept;
  part: 'all' | 'single';
  shown: React.ComponentProps<typeof Tiles>['queues'];
  onDone: () => void;
}

// one layout for all queues together, one that all single queues share.
function Edit({ name, kept, part, shown, onDone }: EditProps) {
  const text = useText();
  const queries = useQueryClient();
  // What was there when the editing began: somebody else's change in the meantime is noticed.
  const [from] = useState(kept);
  const [draft, setDraft] = useState<Layouts>(() => {
    const { all, single, rotation_secs } = from.layouts;
    return { all, single, rotation_secs };
  });
  const [start] = useState(draft);
  const [asked, setAsked] = useState<'leave' | 'remove' | null>(null);
  const isChanged = draft !== start;
  // What is arranged next begins with what is there then.
  const again = () => queries.invalidateQueries({ queryKey: ['list'] });
  const write = useMutation({ mutationFn: () => from.save(draft), onSuccess: () => again().then(onDone) });
  const remove = useMutation({
    mutationFn: async () => from.remove?.(),
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
        {from.remove !== null && (
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
          title={asked === 'leave' ? text.wall.drop : text.admin.sure(name)}
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
