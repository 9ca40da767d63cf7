// The note on a call: a remark and tags, while one talks and after.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';

import type { CallNote, NoteWriting } from '../api/types';
import { useClient } from '../house';
import { Button, Fault, style } from '../parts';
import { useSpoken } from '../text';

const LONGEST = 500;

interface Draft {
  text: string;
  tags: string[];
}

export function NoteEditor({ call, id }: { call: string; id?: string }) {
  const { text } = useSpoken();
  const { client } = useClient();
  const queries = useQueryClient();
  const own = useId();
  // What is typed and not saved; none: what the node has.
  const [draft, setDraft] = useState<Draft | null>(null);
  const path = `/api/v1/calls/${call}/note`;
  const note = useQuery({
    queryKey: ['calls', call, 'note'],
    queryFn: () => client.get<CallNote>(path),
    // A call that has just ended is found again when its record is written.
    retry: 3,
  });
  const tags = useQuery({
    queryKey: ['list', 'call-tags'],
    queryFn: () => client.get<Record<string, string>>('/api/v1/call-tags'),
  });
  const save = useMutation({
    mutationFn: (wish: Draft) => client.request<CallNote>('PUT', path, wish),
    onSuccess: ({ value }) => {
      queries.setQueryData(['calls', call, 'note'], value);
      setDraft(null);
    },
  });
  const newest = note.data?.newest ?? null;
  const shown = draft ?? { text: newest?.text ?? '', tags: newest?.tags ?? [] };
  const change = (part: Partial<Draft>) => {
    save.reset();
    setDraft({ ...shown, ...part });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(shown);
  };
  const known = Object.entries(tags.data ?? {});
  return (
    <form onSubmit={submit} className={style.field}>
      <label htmlFor={id ?? own}>{text.note.text}</label>
      <textarea
        id={id ?? own}
        className={style.input}
        rows={3}
        maxLength={LONGEST}
        value={shown.text}
        onChange={(event) => change({ text: event.target.value })}
      />
      {known.length > 0 && (
        <fieldset className={style.plain}>
          <legend className={style.label}>{text.note.tags}</legend>
          <div className={style.row}>
            {known.map(([tag, name]) => (
              <label key={tag} className={style.tick}>
                <input
                  type="checkbox"
                  checked={shown.tags.includes(tag)}
                  onChange={({ target }) =>
                    change({ tags: target.checked ? [...shown.tags, tag] : shown.tags.filter((it) => it !== tag) })
                  }
                />
                {name}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <div className={style.row}>
        <Button type="submit" look="main" isDisabled={draft === null || save.isPending}>
          {text.note.save}
        </Button>
        <span role="status">{save.isSuccess && draft === null ? text.note.saved : ''}</span>
      </div>
      <Fault error={save.error ?? note.error} />
      {newest !== null && <Written writing={newest} names={tags.data ?? {}} />}
      {(note.data?.earlier.length ?? 0) > 0 && (
        <details>
          <summary>{text.note.earlier}</summary>
          <ul>
            {note.data?.earlier.toReversed().map((it) => (
              <li key={it.at}>
                {it.text} <Written writing={it} names={tags.data ?? {}} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </form>
  );
}

function Written({ writing, names }: { writing: NoteWriting; names: Record<string, string> }) {
  const { text, language } = useSpoken();
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' });
  const tags = writing.tags.map((it) => names[it] ?? it).join(', ');
  return (
    <p className={style.hint}>
      {text.note.by(writing.by.replace(/^\w+:/, ''), when.format(new Date(writing.at)))}
      {tags !== '' && ` · ${tags}`}
    </p>
  );
}
