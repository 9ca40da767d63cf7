// What an agent has done today, made of the records of their own calls.

import type { CallRecord } from '../api/types';

export interface Day {
  // Taken, of queues or straight.
  answered: number;
  // Meant for the own number, and taken by nobody.
  missed: number;
  // Dialled.
  placed: number;
  talkSecs: number;
  // Of the calls with a talk; none before the first.
  averageSecs: number | null;
}

export function dayOf(records: CallRecord[], own: string): Day {
  const day: Day = { answered: 0, missed: 0, placed: 0, talkSecs: 0, averageSecs: null };
  let talks = 0;
  for (const record of records) {
    const isPlaced = record.from === own;
    // A call that the agent has handed on was theirs all the same.
    const isTaken = !isPlaced && (record.answered_by === own || record.queue?.agent === own);
    const isMissed = !isPlaced && record.to === own && record.outcome !== 'answered';
    if (isPlaced) day.placed += 1;
    else if (isTaken) day.answered += 1;
    else if (isMissed) day.missed += 1;
    if ((isPlaced || isTaken) && record.outcome === 'answered') {
      talks += 1;
      day.talkSecs += record.talk_secs;
    }
  }
  if (talks > 0) day.averageSecs = day.talkSecs / talks;
  return day;
}

// Where the day of a moment began, for whoever looks.
export function midnight(now: Date): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate());
}
