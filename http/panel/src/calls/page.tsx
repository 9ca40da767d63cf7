import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { Call, CallRecord } from '../api/types';
import { useClient } from '../house';
import { clock } from '../live/floor';
import { Button, Fault, number, style, Timer } from '../parts';
import { useSpoken } from '../text';

interface Some<T> {
  items: T[];
  next_cursor: string | null;
}

export function CallsPage() {
  const { text, language } = useSpoken();
  const { client } = useClient();
  const live = useQuery({
    queryKey: ['calls', 'live'],
    queryFn: () => client.get<Some<Call>>('/api/v1/calls'),
    refetchInterval: 5_000,
  });
  const past = useInfiniteQuery({
    queryKey: ['calls', 'past'],
    queryFn: ({ pageParam }) =>
      client.get<Some<CallRecord>>(`/api/v1/call-records${pageParam === '' ? '' : `?cursor=${pageParam}`}`),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const when = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });
  const records = past.data?.pages.flatMap((page) => page.items) ?? [];
  const open = (id: string, who: string) => (
    <Link to="/calls/$id" params={{ id }} aria-label={`${text.calls.open}: ${who}`}>
      {text.calls.open}
    </Link>
  );
  return (
    <>
      <h1>{text.calls.title}</h1>
      <section className={style.card}>
        <h2>{text.calls.live}</h2>
        <Fault error={live.error} />
        {(live.data?.items ?? []).length === 0 ? (
          <p className={style.hint}>{text.calls.none}</p>
        ) : (
          <div className={style.scroll}>
            <table className={style.table}>
              <thead>
                <tr>
                  <th scope="col">{text.calls.from}</th>
                  <th scope="col">{text.calls.to}</th>
                  <th scope="col">{text.calls.queue}</th>
                  <th scope="col">{text.calls.started}</th>
                  <th scope="col">{text.calls.call}</th>
                </tr>
              </thead>
              <tbody>
                {live.data?.items.map((call) => (
                  <tr key={call.id}>
                    <td>{number(call.from)}</td>
                    <td>{number(call.to)}</td>
                    <td>{call.queue ?? '–'}</td>
                    <td>
                      <Timer since={call.started_at} />
                    </td>
                    <td>{open(call.id, call.from)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section className={style.card}>
        <h2>{text.calls.past}</h2>
        <Fault error={past.error} />
        {records.length === 0 ? (
          <p className={style.hint}>{text.calls.none}</p>
        ) : (
          <div className={style.scroll}>
            <table className={style.table}>
              <thead>
                <tr>
                  <th scope="col">{text.calls.from}</th>
                  <th scope="col">{text.calls.to}</th>
                  <th scope="col">{text.calls.started}</th>
                  <th scope="col">{text.calls.outcome}</th>
                  <th scope="col">{text.calls.talk}</th>
                  <th scope="col">{text.note.text}</th>
                  <th scope="col">{text.calls.call}</th>
                </tr>
              </thead>
              <tbody>
                {records.map((record) => (
                  <tr key={record.id}>
                    <td>{number(record.from)}</td>
                    <td>{number(record.to)}</td>
                    <td>{when.format(new Date(record.started_at))}</td>
                    <td>{text.calls.outcomes[record.outcome] ?? record.outcome}</td>
                    <td>{clock(record.talk_secs * 1000)}</td>
                    <td>{record.note?.text ?? ''}</td>
                    <td>{open(record.id, record.from)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {past.hasNextPage && (
          <div>
            <Button isDisabled={past.isFetchingNextPage} onPress={() => void past.fetchNextPage()}>
              {text.calls.more}
            </Button>
          </div>
        )}
      </section>
    </>
  );
}
