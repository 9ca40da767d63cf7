// Lists that come in pages.

import type { Client } from './client';

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

// Everything of a list, up to so many pages of 500. The path has its other parameters behind a `?`.
export async function allOf<T>(client: Client, path: string, mostPages: number): Promise<T[]> {
  const all: T[] = [];
  let cursor = '';
  for (let page = 0; page < mostPages; page += 1) {
    const part = await client.get<Page<T>>(`${path}limit=500${cursor && `&cursor=${cursor}`}`);
    all.push(...part.items);
    if (part.next_cursor === null) break;
    cursor = part.next_cursor;
  }
  return all;
}
