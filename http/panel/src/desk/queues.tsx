import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Membership } from '../api/types';
import { useClient, useSelf } from '../house';
import { Button, Choice, Fault, style } from '../parts';
import { useText } from '../text';

type Act = 'login' | 'logout' | 'pause' | 'resume';

interface Wish {
  act: Act;
  queue: string | null;
  reason?: string | null;
}

export function MyQueues() {
  const text = useText();
  const { client } = useClient();
  const queries = useQueryClient();
  const agent = useSelf();
  const [reason, setReason] = useState('');
  const reasons = useReasons();
  const change = useMutation({
    mutationFn: ({ act, ...body }: Wish) =>
      client.post(`/api/v1/agents/${client.principal.extension}/${act}`, body),
    onSettled: () => queries.invalidateQueries({ queryKey: ['agents'] }),
  });
  if (!client.principal.extension) return null;
  const ask = (act: Act, queue: string | null) =>
    change.mutate(act === 'pause' ? { act, queue, reason: reason || null } : { act, queue });
  const memberships = agent?.memberships ?? [];
  const named = (code: string | null) => reasons.find((it) => it.id === code)?.name ?? code ?? '';
  return (
    <section className={style.card} aria-labelledby="queues">
      <h2 id="queues">{text.queues.mine}</h2>
      {memberships.length === 0 ? (
        <p>{text.queues.none}</p>
      ) : (
        <>
          <div className={style.row}>
            <Button onPress={() => ask('login', null)}>{text.queues.allIn}</Button>
            <Button onPress={() => ask('logout', null)}>{text.queues.allOut}</Button>
            <Button onPress={() => ask('pause', null)}>{text.queues.pause}</Button>
            <Button onPress={() => ask('resume', null)}>{text.queues.resume}</Button>
          </div>
          <Choice
            label={text.queues.reason}
            value={reason}
            options={[{ id: '', name: text.queues.noReason }, ...reasons]}
            onChange={setReason}
          />
          <Fault error={change.error} />
          <div className={style.scroll}>
            <table className={style.table}>
              <tbody>
                {memberships.map((it) => (
                  <Row key={it.queue} membership={it} named={named} ask={ask} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

interface RowProps {
  membership: Membership;
  named: (code: string | null) => string;
  ask: (act: Act, queue: string) => void;
}

function Row({ membership, named, ask }: RowProps) {
  const text = useText();
  const { queue, logged_in, paused, pause_reason } = membership;
  const login = membership.membership === 'static' ? text.queues.fixed : text.queues.loggedIn;
  return (
    <tr>
      <th scope="row">{queue}</th>
      <td>
        {logged_in ? login : text.queues.loggedOut}
        {paused && ` · ${text.queues.paused(named(pause_reason))}`}
      </td>
      <td>
        <div className={style.row}>
          {membership.membership === 'dynamic' && (
            <Button onPress={() => ask(logged_in ? 'logout' : 'login', queue)}>
              {logged_in ? text.queues.logOut : text.queues.logIn}
            </Button>
          )}
          {logged_in && (
            <Button onPress={() => ask(paused ? 'resume' : 'pause', queue)}>
              {paused ? text.queues.resume : text.queues.pause}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}

export function useReasons(): { id: string; name: string }[] {
  const { client } = useClient();
  const reasons = useQuery({
    queryKey: ['list', 'pause-reasons'],
    queryFn: () => client.get<Record<string, string>>('/api/v1/pause-reasons'),
  });
  return Object.entries(reasons.data ?? {}).map(([id, name]) => ({ id, name }));
}
