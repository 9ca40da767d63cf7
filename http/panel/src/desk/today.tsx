import { useQuery } from '@tanstack/react-query';

import type { CallRecord } from '../api/types';
import { useClient } from '../house';
import { clock } from '../live/floor';
import { Fault, style } from '../parts';
import { useText } from '../text';
import { dayOf, midnight } from './day';

interface Found {
  items: CallRecord[];
  next_cursor: string | null;
}

// More than anybody talks in a day.
const MOST_PAGES = 5;

export function Today({ own }: { own: string }) {
  const text = useText();
  const { client } = useClient();
  const since = midnight(new Date()).toISOString();
  const found = useQuery({
    queryKey: ['calls', 'own-day', own, since],
    queryFn: async () => {
      const records: CallRecord[] = [];
      let cursor = '';
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const query = `number=${own}&since=${since}&limit=500${cursor && `&cursor=${cursor}`}`;
        const part = await client.get<Found>(`/api/v1/call-records?${query}`);
        records.push(...part.items);
        if (part.next_cursor === null) break;
        cursor = part.next_cursor;
      }
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
