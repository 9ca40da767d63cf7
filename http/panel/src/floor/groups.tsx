// The user's own groups of queues, and when their service level is an alarm.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import { Refused, type Tagged } from '../api/client';
import type { Console, QueueGroup } from '../api/types';
import { useClient } from '../house';
import { Button, Fault, Field, Popup, style } from '../parts';
import { useText } from '../text';
import own from './floor.module.css';
import type { Known } from './scopes';

const PATH = '/api/v1/session/console';

// What the user has arranged for themselves. Other windows of theirs see a change at once.
export function useConsole() {
  const { client } = useClient();
  return useQuery({
    queryKey: ['list', 'console'],
    queryFn: () => client.request<Console>('GET', PATH),
    staleTime: 60_000,
  });
}

export function useSaved(from: Tagged<Console>, onDone: () => void) {
  const { client } = useClient();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ['list', 'console'] }).then(onDone);
  const save = useMutation({
    mutationFn: (draft: Console) => client.request<Console>('PUT', PATH, draft, from.etag),
    onSuccess: again,
  });
  const isStale = save.error instanceof Refused && save.error.problem.status === 412;
  return { save, isStale, again };
}

interface GroupsProps {
  kept: Tagged<Console>;
  all: Known[];
  onClose: () => void;
}

export function Groups({ kept, all, onClose }: GroupsProps) {
  const text = useText();
  // What was there when the dialogue opened: a change in another window is noticed.
  const [from] = useState(kept);
  const [draft, setDraft] = useState(from.value);
  const [open, setOpen] = useState<number | null>(null);
  const { save, isStale, again } = useSaved(from, onClose);
  const { groups } = draft;
  const set = (next: QueueGroup[]) => setDraft({ ...draft, groups: next });
  if (open !== null) {
    const group = groups[open] ?? { name: '', queues: [], alarm_threshold_percent: 80 };
    return (
      <GroupForm
        group={group}
        all={all}
        taken={groups.filter((_, at) => at !== open).map((it) => it.name)}
        onClose={() => setOpen(null)}
        onApply={(next) => {
          set(open < groups.length ? groups.map((it, at) => (at === open ? next : it)) : [...groups, next]);
          setOpen(null);
        }}
      />
    );
  }
  const up = (at: number) => {
    const [moved] = groups.slice(at, at + 1);
    const rest = groups.filter((_, other) => other !== at);
    if (moved !== undefined) set([...rest.slice(0, at - 1), moved, ...rest.slice(at - 1)]);
  };
  return (
    <Popup title={text.floor.custom} onClose={onClose}>
      <Percent
        label={text.floor.alarmOfAll}
        value={draft.alarm_threshold_percent}
        onChange={(percent) => setDraft({ ...draft, alarm_threshold_percent: percent })}
      />
      {groups.length === 0 && <p className={style.hint}>{text.floor.noGroups}</p>}
      <ul className={own.matches}>
        {groups.map((it, at) => (
          <li key={it.name} className={style.spread}>
            <span>
              {it.name} ({it.queues.length})
            </span>
            <span className={style.row}>
              {at > 0 && (
                <Button aria-label={`${text.floor.earlier}: ${it.name}`} onPress={() => up(at)}>
                  ↑
                </Button>
              )}
              <Button aria-label={`${text.admin.edit}: ${it.name}`} onPress={() => setOpen(at)}>
                {text.admin.edit}
              </Button>
              <Button
                aria-label={`${text.admin.remove}: ${it.name}`}
                onPress={() => set(groups.filter((_, other) => other !== at))}
              >
                {text.admin.remove}
              </Button>
            </span>
          </li>
        ))}
      </ul>
      <div>
        <Button onPress={() => setOpen(groups.length)}>{text.floor.addGroup}</Button>
      </div>
      {isStale ? (
        <p role="alert" className={style.fault}>
          {text.admin.conflict} <Button onPress={() => void again()}>{text.admin.theirs}</Button>
        </p>
      ) : (
        <Fault error={save.error} />
      )}
      <div className={style.row}>
        <Button look="main" isDisabled={save.isPending} onPress={() => save.mutate(draft)}>
          {text.admin.save}
        </Button>
        <Button onPress={onClose}>{text.phone.cancel}</Button>
      </div>
    </Popup>
  );
}

function Percent({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <Field
      label={label}
      type="number"
      inputMode="numeric"
      value={value === 0 ? '' : String(value)}
      onChange={(typed) => onChange(Math.min(100, Math.max(0, Math.round(Number(typed)) || 0)))}
    />
  );
}

interface GroupFormProps {
  group: QueueGroup;
  all: Known[];
  // The names of the other groups.
  taken: string[];
  onApply: (group: QueueGroup) => void;
  onClose: () => void;
}

function GroupForm({ group, all, taken, onApply, onClose }: GroupFormProps) {
  const text = useText();
  const [draft, setDraft] = useState(group);
  const name = draft.name.trim();
  const isTaken = taken.includes(name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onApply({ ...draft, name });
  };
  const tick = (number: string, isIn: boolean) =>
    setDraft({ ...draft, queues: isIn ? [...draft.queues, number] : draft.queues.filter((it) => it !== number) });
  return (
    <Popup title={text.floor.group} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Field
          label={text.floor.groupName}
          value={draft.name}
          onChange={(typed) => setDraft({ ...draft, name: typed })}
          error={isTaken ? text.floor.nameTaken : undefined}
          autoFocus
          isRequired
        />
        <Percent
          label={text.floor.alarm}
          value={draft.alarm_threshold_percent}
          onChange={(percent) => setDraft({ ...draft, alarm_threshold_percent: percent })}
        />
        <fieldset className={style.plain}>
          <legend className={style.label}>{text.queues.title}</legend>
          {all.map((it) => (
            <label key={it.number} className={style.tick}>
              <input
                type="checkbox"
                checked={draft.queues.includes(it.number)}
                onChange={(event) => tick(it.number, event.target.checked)}
              />
              {it.name} [{it.number}]
            </label>
          ))}
        </fieldset>
        <div className={style.row}>
          <Button type="submit" look="main" isDisabled={name === '' || isTaken || draft.queues.length === 0}>
            {text.wall.apply}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
    </Popup>
  );
}
