// Arranging a wallboard: by pointer, by keyboard, or by the fields of a tile.

import { type FormEvent, useRef, useState } from 'react';

import type { Figure, QueueStatus, Tile } from '../api/types';
import { sumsOf } from '../floor/rows';
import { Button, Choice, Field, Popup, style } from '../parts';
import { useText } from '../text';
import { added, COLUMNS, FIGURES, inOrder, put } from './grid';
import { placed, TileBody } from './views';
import own from './wall.module.css';

interface EditorProps {
  tiles: Tile[];
  queues: QueueStatus[];
  onChange: (tiles: Tile[]) => void;
}

type Grip = 'move' | 'size';

export function Editor({ tiles, queues, onChange }: EditorProps) {
  const text = useText();
  const [open, setOpen] = useState<number | 'new' | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const held = useRef<{ index: number; grip: Grip; from: Tile[]; x: number; y: number } | null>(null);
  const sums = sumsOf(queues);
  const edit = (index: number, part: Partial<Tile>) =>
    onChange(tiles.map((tile, at) => (at === index ? { ...tile, ...part } : tile)));
  const remove = (index: number) => onChange(tiles.filter((_, at) => at !== index));

  const grab = (index: number, grip: Grip) => (event: React.PointerEvent) => {
    if (event.target instanceof HTMLButtonElement || tiles[index]?.locked) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { index, grip, from: tiles, x: event.clientX, y: event.clientY };
  };
  const drag = (event: React.PointerEvent) => {
    const { current } = held;
    const box = grid.current?.getBoundingClientRect();
    const before = current?.from[current.index];
    if (current === null || box === undefined || before === undefined) return;
    const rows = Math.max(...current.from.map((tile) => tile.row + tile.height));
    const columns = Math.round((event.clientX - current.x) / (box.width / COLUMNS));
    const lines = Math.round((event.clientY - current.y) / (box.height / rows));
    const to =
      current.grip === 'move'
        ? { column: before.column + columns, row: before.row + lines }
        : { width: before.width + columns, height: before.height + lines };
    onChange(put(current.from, current.index, to));
  };
  const release = () => {
    held.current = null;
  };

  const press = (index: number) => (event: React.KeyboardEvent) => {
    const tile = tiles[index];
    if (event.target !== event.currentTarget || tile === undefined) return;
    const by: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = by[event.key];
    if (step !== undefined) {
      const [x, y] = step;
      const to = event.shiftKey
        ? { width: tile.width + x, height: tile.height + y }
        : { column: tile.column + x, row: tile.row + y };
      onChange(put(tiles, index, to));
    } else if (event.key === 'Delete') remove(index);
    else if (event.key === 'Enter') setOpen(index);
    else return;
    event.preventDefault();
  };

  const chosen = typeof open === 'number' ? tiles[open] : undefined;
  return (
    <>
      <p className={style.hint}>{text.wall.hint}</p>
      <div>
        <Button onPress={() => setOpen('new')}>{text.wall.add}</Button>
      </div>
      <div className={own.grid} ref={grid}>
        {inOrder(tiles).map(({ tile, at }) => (
          <div
            key={at}
            role="group"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a tile is moved by the keyboard
            tabIndex={0}
            aria-label={text.wall.figures[tile.figure]}
            className={`${own.tile} ${own.edited}`}
            style={placed(tile)}
            data-locked={tile.locked}
            data-tile={tile.figure}
            data-place={`${tile.column},${tile.row},${tile.width},${tile.height}`}
            onPointerDown={grab(at, 'move')}
            onPointerMove={drag}
            onPointerUp={release}
            onPointerCancel={release}
            onKeyDown={press(at)}
          >
            <TileBody tile={tile} sums={sums} />
            <div className={own.tools}>
              <Tool
                name={`${text.wall.lock}: ${text.wall.figures[tile.figure]}`}
                isPressed={tile.locked}
                onPress={() => edit(at, { locked: !tile.locked })}
              >
                {text.wall.lock}
              </Tool>
              <Tool name={`${text.admin.edit}: ${text.wall.figures[tile.figure]}`} onPress={() => setOpen(at)}>
                {text.admin.edit}
              </Tool>
              <Tool name={`${text.admin.remove}: ${text.wall.figures[tile.figure]}`} onPress={() => remove(at)}>
                ✕
              </Tool>
            </div>
            {!tile.locked && <span aria-hidden className={own.corner} onPointerDown={grab(at, 'size')} />}
          </div>
        ))}
      </div>
      {open === 'new' && (
        <NewTile
          onClose={() => setOpen(null)}
          onAdd={(figure, description) => {
            const more = added(tiles, figure, description);
            if (more !== null) onChange(more);
            setOpen(null);
          }}
        />
      )}
      {chosen !== undefined && typeof open === 'number' && (
        <TileFields
          tile={chosen}
          onClose={() => setOpen(null)}
          onSave={(tile) => {
            const { description, ...place } = tile;
            const moved = put(tiles, open, place);
            onChange(moved.map((it, at) => (at === open ? { ...it, description } : it)));
            setOpen(null);
          }}
        />
      )}
    </>
  );
}

interface ToolProps {
  name: string;
  isPressed?: boolean;
  onPress: () => void;
  children: React.ReactNode;
}

function Tool({ name, isPressed, onPress, children }: ToolProps) {
  return (
    <button
      type="button"
      className={own.tool}
      aria-label={name}
      {...(isPressed === undefined ? {} : { 'aria-pressed': isPressed })}
      onClick={onPress}
    >
      {children}
    </button>
  );
}

function NewTile({ onClose, onAdd }: { onClose: () => void; onAdd: (figure: Figure, description: string) => void }) {
  const text = useText();
  const [figure, setFigure] = useState<Figure>('waiting');
  const [description, setDescription] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAdd(figure, description);
  };
  return (
    <Popup title={text.wall.add} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Choice
          label={text.wall.figure}
          value={figure}
          options={FIGURES.map((id) => ({ id, name: text.wall.figures[id] }))}
          onChange={(chosen) => setFigure(chosen as Figure)}
        />
        <Field label={text.wall.description} value={description} onChange={setDescription} />
        <div className={style.row}>
          <Button type="submit" look="main">
            {text.admin.add}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
    </Popup>
  );
}

function TileFields({ tile, onClose, onSave }: { tile: Tile; onClose: () => void; onSave: (tile: Tile) => void }) {
  const text = useText();
  const [draft, setDraft] = useState(tile);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave(draft);
  };
  // People count from one.
  const count = (label: string, name: 'column' | 'row' | 'width' | 'height', first: number) => (
    <Field
      label={label}
      type="number"
      inputMode="numeric"
      value={String(draft[name] + first)}
      isDisabled={tile.locked}
      onChange={(value) => setDraft({ ...draft, [name]: Math.max(0, Number(value) - first) || 0 })}
    />
  );
  return (
    <Popup title={text.wall.figures[tile.figure]} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Field
          label={text.wall.description}
          value={draft.description}
          onChange={(description) => setDraft({ ...draft, description })}
          autoFocus
        />
        <div className={own.numbers}>
          {count(text.wall.column, 'column', 1)}
          {count(text.wall.row, 'row', 1)}
          {count(text.wall.width, 'width', 0)}
          {count(text.wall.height, 'height', 0)}
        </div>
        <div className={style.row}>
          <Button type="submit" look="main">
            {text.wall.apply}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
    </Popup>
  );
}
