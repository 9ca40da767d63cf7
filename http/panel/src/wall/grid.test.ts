import { describe, expect, it } from 'vitest';

import type { Tile } from '../api/types';
import { added, covers, inOrder, layout, put, ROWS } from './grid';

const tile = (column: number, row: number, more: Partial<Tile> = {}): Tile => ({
  figure: 'waiting',
  column,
  row,
  width: 3,
  height: 2,
  locked: false,
  description: '',
  ...more,
});

const isFree = (tiles: Tile[]) => tiles.every((a, at) => tiles.slice(at + 1).every((b) => !covers(a, b)));

describe('the grid of a wallboard', () => {
  it('a tile that is moved pushes the others down and covers none', () => {
    const tiles = put([tile(0, 0), tile(3, 0), tile(3, 2)], 0, { column: 2, row: 0 });

    expect(tiles.map((it) => [it.column, it.row])).toEqual([
      [2, 0],
      [3, 2],
      [3, 4],
    ]);
    expect(isFree(tiles)).toBe(true);
  });

  it('a locked tile stays and what is moved onto it goes below', () => {
    const tiles = put([tile(0, 4), tile(0, 0, { locked: true })], 0, { row: 1 });

    expect(tiles.map((it) => it.row)).toEqual([2, 0]);
    expect(put(tiles, 1, { row: 5 })).toEqual(tiles);
  });

  it('nothing leaves the grid', () => {
    expect(put([tile(0, 0)], 0, { column: 20, row: -3, width: 40 })[0]).toMatchObject({ column: 0, row: 0, width: 12 });
    const full = [tile(0, 0, { height: ROWS }), tile(3, 0)];
    expect(put(full, 1, { column: 0 })).toEqual(full);
  });

  it('a new tile takes the first free place', () => {
    const tiles = added([tile(0, 0), tile(6, 0)], 'total', 'Today') ?? [];

    expect(tiles[2]).toMatchObject({ figure: 'total', column: 3, row: 0, description: 'Today' });
    expect(added([tile(0, 0, { width: 12, height: ROWS })], 'total', '')).toBeNull();
  });

  it('the usual layout covers nothing and is read from the top left', () => {
    const usual = layout([]);

    expect(isFree(usual)).toBe(true);
    expect(inOrder([tile(3, 0), tile(0, 2), tile(0, 0)]).map((it) => it.at)).toEqual([2, 0, 1]);
  });
});
