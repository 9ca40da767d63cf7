// What a manager may do with a call or an agent, by menu (right click, or the keyboard), by drag
// and by double click. The node decides on the state that it knows.

import { useMutation, useQuery } from '@tanstack/react-query';
import { createContext, type FormEvent, type ReactNode, useContext, useMemo, useRef, useState } from 'react';
import { Menu, MenuItem, Popover } from 'react-aria-components';

import type { Agent, Supervision } from '../api/types';
import { useReasons } from '../desk/queues';
import { useClient } from '../house';
import { Button, Fault, Field, Popup, style } from '../parts';
import { useText } from '../text';
import own from './floor.module.css';

// What a dragged call is known by to what it is dragged over.
export const DRAGGED = 'application/x-tandem-call';

// What a command is for.
export type Thing =
  | { kind: 'waiting'; call: string; who: string; ringing: string[] }
  | { kind: 'active'; call: string; who: string }
  | { kind: 'agent'; queue: string; agent: Agent };

interface Order {
  path: string;
  body: unknown;
  // What is said when it is done; of some things with the answer.
  said: string | ((done: unknown) => string);
}

interface Commands {
  // Shows what is legal, at an element.
  offer: (thing: Thing, at: Element) => void;
  // A call is let go over an agent.
  drop: (agent: string) => void;
  drag: (thing: Thing | null) => void;
  ring: (agent: string) => void;
}

const Context = createContext<Commands | null>(null);

export function useCommands(): Commands {
  const commands = useContext(Context);
  if (commands === null) throw new Error('outside of the commands');
  return commands;
}

type Asked = { ask: 'move' | 'end'; thing: Extract<Thing, { call: string }> } | null;

export function Commanding({ children }: { children: ReactNode }) {
  const text = useText();
  const { client } = useClient();
  const [open, setOpen] = useState<Thing | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  // No state: a floor that is drawn anew would lose what is held.
  const dragged = useRef<Thing | null>(null);
  const anchor = useRef<Element | null>(null);
  const act = useMutation({
    mutationFn: ({ path, body }: Order) => client.post(path, body),
    onSuccess: () => setAsked(null),
  });
  const { mutate } = act;
  const commands = useMemo<Commands>(() => {
    const move = (thing: Thing, to: string) => {
      if (thing.kind === 'agent') return;
      const verb = thing.kind === 'waiting' ? 'redirect' : 'transfer';
      mutate({ path: `/api/v1/calls/${thing.call}/${verb}`, body: { to }, said: text.floor.moved(thing.who, to) });
    };
    return {
      offer: (thing, at) => {
        anchor.current = at;
        setOpen(thing);
      },
      drag: (thing) => {
        dragged.current = thing;
      },
      drop: (agent) => {
        if (dragged.current !== null) move(dragged.current, agent);
        dragged.current = null;
      },
      ring: (agent) => {
        const from = client.principal.extension;
        if (!from || from === agent) return;
        mutate({ path: '/api/v1/calls', body: { from, to: agent }, said: text.floor.rung(agent) });
      },
    };
  }, [client, mutate, text]);
  return (
    <Context.Provider value={commands}>
      <p role="status" className={style.hint}>
        {act.isSuccess ? told(act.variables.said, act.data) : ''}
      </p>
      {asked === null && <Fault error={act.error} />}
      {children}
      <Popover
        triggerRef={anchor}
        isOpen={open !== null}
        onOpenChange={(isOpen) => !isOpen && setOpen(null)}
        className={own.menu ?? ''}
      >
        {open?.kind === 'agent' && <AgentMenu thing={open} order={mutate} onClose={() => setOpen(null)} />}
        {(open?.kind === 'waiting' || open?.kind === 'active') && (
          <CallMenu
            thing={open}
            order={mutate}
            onClose={() => setOpen(null)}
            ask={(ask) => {
              act.reset();
              // The menu is gone before the question comes: each hides what is behind it.
              setTimeout(() => setAsked({ ask, thing: open }), 0);
            }}
          />
        )}
      </Popover>
      {asked?.ask === 'move' && (
        <Move thing={asked.thing} order={mutate} error={act.error} onClose={() => setAsked(null)} />
      )}
      {asked?.ask === 'end' && (
        <Popup title={`${text.queues.hangUp}: ${asked.thing.who}`} onClose={() => setAsked(null)}>
          <Fault error={act.error} />
          <div className={style.row}>
            <Button
              look="danger"
              autoFocus
              onPress={() =>
                mutate({
                  path: `/api/v1/calls/${asked.thing.call}/hangup`,
                  body: {},
                  said: text.floor.ended(asked.thing.who),
                })
              }
            >
              {text.queues.hangUp}
            </Button>
            <Button onPress={() => setAsked(null)}>{text.phone.cancel}</Button>
          </div>
        </Popup>
      )}
    </Context.Provider>
  );
}

const told = (said: Order['said'], done: unknown): string => (typeof said === 'string' ? said : said(done));

// The items are there a moment after the menu.
function focusFirst(menu: HTMLElement | null): void {
  if (menu === null) return;
  requestAnimationFrame(() => menu.querySelector<HTMLElement>('[role="menuitem"]')?.focus());
}

function Item({ name, onAction }: { name: string; onAction: () => void }) {
  return (
    <MenuItem className={own.item ?? ''} textValue={name} onAction={onAction}>
      {name}
    </MenuItem>
  );
}

interface CallMenuProps {
  thing: Extract<Thing, { call: string }>;
  order: Do;
  ask: (what: 'move' | 'end') => void;
  onClose: () => void;
}

const MODES: Supervision[] = ['listen', 'whisper', 'barge'];

function CallMenu({ thing, order, ask, onClose }: CallMenuProps) {
  const text = useText();
  const { role, extension } = useClient().client.principal;
  // the own phone rings, so there must be one; the node asks for the right.
  const attends = thing.kind === 'active' && role !== 'agent' && Boolean(extension);
  // what rings, and not at the own phone already.
  const picksUp =
    thing.kind === 'waiting' && extension && thing.ringing.length > 0 && !thing.ringing.includes(extension);
  return (
    <Menu aria-label={`${text.queues.actions}: ${thing.who}`} ref={focusFirst} onClose={onClose}>
      <Item
        name={thing.kind === 'waiting' ? text.floor.redirect : text.queues.redirect}
        onAction={() => ask('move')}
      />
      {picksUp && (
        <Item
          name={text.floor.pickUp}
          onAction={() =>
            order({
              path: `/api/v1/calls/${thing.call}/pickup`,
              body: {},
              said: text.floor.pickedUp(thing.who),
            })
          }
        />
      )}
      {thing.kind === 'active' && (
        <Item
          name={text.floor.park}
          onAction={() =>
            order({
              path: `/api/v1/calls/${thing.call}/park`,
              body: {},
              said: (done) => text.floor.parked(thing.who, (done as { slot: string }).slot),
            })
          }
        />
      )}
      {attends &&
        MODES.map((mode) => (
          <Item
            key={mode}
            name={text.floor.attend[mode]}
            onAction={() =>
              order({
                path: `/api/v1/calls/${thing.call}/monitor`,
                body: { mode },
                said: `${thing.who}: ${text.floor.attend[mode]}`,
              })
            }
          />
        ))}
      <Item name={text.queues.hangUp} onAction={() => ask('end')} />
    </Menu>
  );
}

type Do = (order: Order) => void;

interface AgentMenuProps {
  thing: Extract<Thing, { kind: 'agent' }>;
  order: Do;
  onClose: () => void;
}

// what fits the agent's state; log-in and log-out for dynamic agents only.
function AgentMenu({ thing, order, onClose }: AgentMenuProps) {
  const text = useText();
  const { client } = useClient();
  const reasons = useReasons();
  const { agent, queue } = thing;
  const here = agent.memberships.find((it) => it.queue === queue);
  const change = (verb: string, name: string, more = {}) => (
    <Item
      key={name}
      name={name}
      onAction={() =>
        order({
          path: `/api/v1/agents/${agent.extension}/${verb}`,
          body: { queue, ...more },
          said: `${agent.extension}: ${name}`,
        })
      }
    />
  );
  const from = client.principal.extension;
  return (
    <Menu aria-label={`${text.queues.actions}: ${agent.extension}`} ref={focusFirst} onClose={onClose}>
      {from && from !== agent.extension && (
        <Item
          name={text.floor.call}
          onAction={() =>
            order({ path: '/api/v1/calls', body: { from, to: agent.extension }, said: text.floor.rung(agent.extension) })
          }
        />
      )}
      {here?.logged_in && here.paused && change('resume', text.queues.resume)}
      {here?.logged_in && !here.paused && change('pause', text.queues.pause)}
      {here?.logged_in &&
        !here.paused &&
        reasons.map((it) => change('pause', `${text.queues.pause}: ${it.name}`, { reason: it.id }))}
      {here?.membership === 'dynamic' &&
        (here.logged_in ? change('logout', text.queues.logOut) : change('login', text.queues.logIn))}
    </Menu>
  );
}

interface House {
  number: string;
  name: string;
  voicemail?: { enabled: boolean };
}

// Where a call may go: what was typed, or a match among the numbers of the house.
function Move({
  thing,
  order,
  error,
  onClose,
}: {
  thing: Extract<Thing, { call: string }>;
  order: Do;
  error: unknown;
  onClose: () => void;
}) {
  const text = useText();
  const [to, setTo] = useState('');
  const isWaiting = thing.kind === 'waiting';
  const title = isWaiting ? text.floor.redirect : text.queues.redirect;
  const go = (number: string, more = {}) =>
    order({
      path: `/api/v1/calls/${thing.call}/${isWaiting ? 'redirect' : 'transfer'}`,
      body: { to: number, ...more },
      said: text.floor.moved(thing.who, number),
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (to !== '') go(to);
  };
  return (
    <Popup title={`${title}: ${thing.who}`} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Field label={text.floor.to} value={to} onChange={setTo} autoFocus isRequired />
        <Fault error={error} />
        <div className={style.row}>
          <Button type="submit" look="main" isDisabled={to === ''}>
            {title}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
      <Matches search={to} withMailbox={isWaiting} go={go} />
    </Popup>
  );
}

const SHOWN = 8;

function Matches({
  search,
  withMailbox,
  go,
}: {
  search: string;
  withMailbox: boolean;
  go: (number: string, more?: object) => void;
}) {
  const text = useText();
  const places = [...useHouse('extensions'), ...useHouse('queues'), ...useHouse('ring-groups')];
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return null;
  const found = places.filter((it) => `${it.number} ${it.name}`.toLowerCase().includes(wanted)).slice(0, SHOWN);
  return (
    <ul className={own.matches} aria-label={text.floor.matches}>
      {found.map((it) => (
        <li key={it.number} className={style.row}>
          <Button onPress={() => go(it.number)}>
            {it.number} {it.name}
          </Button>
          {withMailbox && it.voicemail?.enabled && (
            <Button
              aria-label={`${text.floor.mailbox}: ${it.number}`}
              onPress={() => go(it.number, { to_voicemail: true })}
            >
              {text.floor.mailbox}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

// The numbers of the house of one kind.
export function useHouse(kind: string): House[] {
  const { client } = useClient();
  const list = useQuery({
    queryKey: ['list', kind, 'names'],
    queryFn: () => client.get<{ items: House[] }>(`/api/v1/${kind}?limit=500`),
    staleTime: 60_000,
  });
  return list.data?.items ?? [];
}
