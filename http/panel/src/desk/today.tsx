import { useQuery } from '@tanstack/react-query';

import { allOf } from '../api/pages';
import type { CallRecord } from '../api/types';
import { useClient } from '../house';
import { clock } from '../live/floor';
import { Fault, style } from '../parts';
import { useText } from '../text';
import { dayOf, midnight } from './day';

// More than anybody talks in a day.
const MOST_PAGES = 5;

export function Today({ own }: { own: string }) {
  const text = useText();
  const { client } = useClient();
  const since = midnight(new Date()).toISOString();
  const found = useQuery({
    queryKey: ['calls', 'own-day', own, since],
    queryFn: async () => {
      const path = `/api/v1/call-records?number=${own}&since=${since}&`;
      const records = await allOf<CallRecord>(client, path, MOST_PAGES);
      return dayOf(records, own);
    },
    refetchInterval: 30_000,
  });
  const day = found.data;
  const average = day?.averageSecs ?? null;
  const figures: [string, string][] = [
    [text.today.answered, String(day?.answered ?? '–')],
    [text.today.missed, String(day?.missed ?? '–')],
    [text.today.placed, String(day?.placed ?? '–')],
    [text.today.talk, day === undefined ? '–' : clock(day.talkSecs * 1000)],
    [text.today.average, average === null ? '–' : clock(average * 1000)],
  ];
  return (
    <section className={style.card} aria-labelledby="today">
      <h2 id="today">{text.today.title}</h2>
      <Fault error={found.error} />
      <table className={style.table} aria-labelledby="today">
        <tbody>
          {figures.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
