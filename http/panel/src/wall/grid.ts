// Where tiles stand on a wallboard: a grid of columns and rows in which no tile covers another.

import type { Figure, Tile } from '../api/types';

export const COLUMNS = 12;
export const ROWS = 24;

export type Place = Pick<Tile, 'column' | 'row' | 'width' | 'height'>;

export function covers(a: Place, b: Place): boolean {
  return (
    a.column < b.column + b.width &&
    b.column < a.column + a.width &&
    a.row < b.row + b.height &&
    b.row < a.row + a.height
  );
}

const within = (n: number, least: number, most: number): number => Math.min(Math.max(Math.round(n), least), most);

function clamped<T extends Place>(tile: T): T {
  const width = within(tile.width, 1, COLUMNS);
  const height = within(tile.height, 1, ROWS);
  return {
    ...tile,
    width,
    height,
    column: within(tile.column, 0, COLUMNS - width),
    row: within(tile.row, 0, ROWS - height),
  };
}

// Below everything that is in its way.
function below<T extends Place>(tile: T, others: readonly Place[]): T {
  let placed = tile;
  for (let blocker = others.find((it) => covers(it, placed)); blocker !== undefined; ) {
    placed = { ...placed, row: blocker.row + blocker.height };
    blocker = others.find((it) => covers(it, placed));
  }
  return placed;
}

// Puts a tile somewhere: it goes below locked ones that are in its way and pushes the others down.
// Where they do not all fit, everything stays.
export function put(tiles: readonly Tile[], index: number, to: Partial<Place>): Tile[] {
  const before = [...tiles];
  const wanted = before[index];
  if (wanted === undefined || wanted.locked) return before;
  const locked = before.filter((tile) => tile.locked);
  const moved = below(clamped({ ...wanted, ...to }), locked);
  const placed: Tile[] = [...locked, moved];
  const next = before.map((tile, at) => (at === index ? moved : tile));
  const rest = before
    .map((tile, at) => ({ tile, at }))
    .filter(({ tile, at }) => at !== index && !tile.locked)
    .sort((a, b) => a.tile.row - b.tile.row || a.tile.column - b.tile.column);
  for (const { tile, at } of rest) {
    const pushed = below(tile, placed);
    placed.push(pushed);
    next[at] = pushed;
  }
  return next.every((tile) => tile.row + tile.height <= ROWS) ? next : before;
}

// A new tile in the first place that is free; none when there is none.
export function added(tiles: readonly Tile[], figure: Figure, description: string): Tile[] | null {
  const size = { width: 3, height: 2 };
  for (let row = 0; row + size.height <= ROWS; row += 1) {
    for (let column = 0; column + size.width <= COLUMNS; column += 1) {
      const place = { column, row, ...size };
      if (tiles.some((tile) => covers(tile, place))) continue;
      return [...tiles, { figure, ...place, locked: false, description }];
    }
  }
  return null;
}

const USUAL: Figure[] = [
  'clock',
  'waiting',
  'longest_wait',
  'active',
  'idle_agents',
  'logged_in_agents',
  'answered',
  'total',
  'missed',
  'abandoned',
  'answered_rate',
  'abandoned_rate',
];

export const FIGURES: Figure[] = [...USUAL, 'missed_rate', 'waiting_callbacks', 'service_level'];

// An empty layout is the usual one.
export function layout(tiles: readonly Tile[]): Tile[] {
  if (tiles.length > 0) return [...tiles];
  return USUAL.map((figure, at) => ({
    figure,
    column: (at % 4) * 3,
    row: Math.floor(at / 4) * 2,
    width: 3,
    height: 2,
    locked: false,
    description: '',
  }));
}

// Read from left to right and from top to bottom, whatever the order they were added in.
export const inOrder = (tiles: readonly Tile[]): { tile: Tile; at: number }[] =>
  tiles
    .map((tile, at) => ({ tile, at }))
    .sort((a, b) => a.tile.row - b.tile.row || a.tile.column - b.tile.column);
