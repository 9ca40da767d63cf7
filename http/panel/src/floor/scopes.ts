// What of the floor a page is about: all queues, a group of the user's, or one queue.

import type { Console, QueueGroup, QueueStatus } from '../api/types';

export interface Known {
  number: string;
  name: string;
}

const GROUP = 'group:';
// A connection watches a hundred topics at most; one of them is the calls.
export const MOST = 99;

// '' is all queues.
export const scopeOfGroup = (name: string): string => GROUP + name;
export const groupOf = (scope: string): string | null => (scope.startsWith(GROUP) ? scope.slice(GROUP.length) : null);
export const isSingle = (scope: string): boolean => scope !== '' && groupOf(scope) === null;

const found = (scope: string, groups: readonly QueueGroup[]): QueueGroup | undefined =>
  groups.find((it) => it.name === groupOf(scope));

// A group that is gone is all queues again; a queue of a group that is gone is passed over.
export function known(scope: string, groups: readonly QueueGroup[]): string {
  return groupOf(scope) !== null && found(scope, groups) === undefined ? '' : scope;
}

export function numbersOf(scope: string, all: readonly Known[], groups: readonly QueueGroup[]): string[] {
  if (isSingle(scope)) return [scope];
  const there = all.map((it) => it.number);
  const group = found(scope, groups);
  return (group?.queues.filter((it) => there.includes(it)) ?? there).slice(0, MOST);
}

export function scopes(everything: string, all: readonly Known[], groups: readonly QueueGroup[]) {
  return [
    { id: '', name: everything },
    ...groups.map((it) => ({ id: scopeOfGroup(it.name), name: it.name })),
    ...all.map((it) => ({ id: it.number, name: `${it.name} [${it.number}]` })),
  ];
}

// a queue's own threshold, a group's, or that for all queues.
export function thresholdOf(scope: string, queues: readonly QueueStatus[], console: Console): number {
  const [only] = queues;
  if (isSingle(scope) && only !== undefined) return only.service_level.threshold_percent;
  return found(scope, console.groups)?.alarm_threshold_percent ?? console.alarm_threshold_percent;
}

export interface Level {
  // 0 to 1; 0 without calls.
  share: number;
  isAlarm: boolean;
}

// what is in time is each queue's own matter; the sums are divided.
export function levelOf(queues: readonly QueueStatus[], threshold: number): Level {
  const sum = (of: (it: QueueStatus) => number) => queues.reduce((all, it) => all + of(it), 0);
  const total = sum((it) => it.service_level.total);
  const inTime = sum((it) => it.service_level.in_time);
  if (total === 0) return { share: 0, isAlarm: false };
  // Not rounded: 79.999 percent are below 80.
  return { share: inTime / total, isAlarm: inTime * 100 < total * threshold };
}
