// The few widgets of which the pages are made: behaviour by React Aria, looks by tokens.

import { type ReactNode, useId, useSyncExternalStore } from 'react';
import {
  Button as AriaButton,
  type ButtonProps,
  Dialog,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  Text as AriaText,
  TextField,
} from 'react-aria-components';

import { Refused } from '../api/client';
import { clock } from '../live/floor';
import { useText } from '../text';
import style from './parts.module.css';

export { style };

type Look = 'plain' | 'main' | 'danger';

export function Button({ look = 'plain', ...props }: ButtonProps & { look?: Look }) {
  const looks = look === 'plain' ? style.button : `${style.button} ${style[look]}`;
  return <AriaButton {...props} className={looks ?? ''} />;
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  error?: string | undefined;
  type?: string;
  autoFocus?: boolean;
  isRequired?: boolean;
  isDisabled?: boolean;
  autoComplete?: string;
  inputMode?: 'tel' | 'numeric' | 'text';
  id?: string;
}

export function Field({ label, hint, error, inputMode, ...props }: FieldProps) {
  return (
    <TextField {...props} className={style.field ?? ''} isInvalid={error !== undefined}>
      <Label>{label}</Label>
      <Input className={style.input ?? ''} {...(inputMode === undefined ? {} : { inputMode })} />
      {hint !== undefined && (
        <AriaText slot="description" className={style.hint ?? ''}>
          {hint}
        </AriaText>
      )}
      {error !== undefined && (
        <AriaText slot="errorMessage" className={style.error ?? ''}>
          {error}
        </AriaText>
      )}
    </TextField>
  );
}

interface LongFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

// A text of several lines.
export function LongField({ label, value, onChange, error }: LongFieldProps) {
  const id = useId();
  return (
    <div className={style.field}>
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className={style.input}
        rows={8}
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onChange={(event) => onChange(event.target.value)}
      />
      {error !== undefined && (
        <p id={`${id}-error`} className={style.error}>
          {error}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: { id: string; name: string }[];
  onChange: (value: string) => void;
  error?: string | undefined;
  hint?: string;
}

// The system's own list: it works with every input method and on every screen.
export function Choice({ label, value, options, onChange, error, hint }: ChoiceProps) {
  const id = useId();
  return (
    <div className={style.field}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className={style.input}
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-more`}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.name}
          </option>
        ))}
      </select>
      <span id={`${id}-more`}>
        {hint !== undefined && <span className={style.hint}>{hint}</span>}
        {error !== undefined && <span className={style.error}> {error}</span>}
      </span>
    </div>
  );
}

export function Popup({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <ModalOverlay isOpen isDismissable className={style.overlay ?? ''} onOpenChange={(open) => !open && onClose()}>
      <Modal>
        <Dialog className={style.dialog ?? ''}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

// One clock for all who count: a floor of timers is drawn once a second, not each by itself.
const watches = new Set<() => void>();
let moment = Date.now();
let ticking: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  moment = Date.now();
  for (const tell of watches) tell();
}

function onTick(tell: () => void): () => void {
  if (watches.size === 0) {
    moment = Date.now();
    ticking = setInterval(tick, 1000);
  }
  watches.add(tell);
  return () => {
    watches.delete(tell);
    if (watches.size === 0) clearInterval(ticking);
  };
}

// The head of a table.
export function Head({ names }: { names: string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

// The time, once a second.
export function useNow(skew = 0): number {
  return useSyncExternalStore(onTick, () => moment) + skew;
}

export function Timer({ since, skew = 0 }: { since: string; skew?: number }) {
  const now = useNow(skew);
  // Read out when asked, not every second.
  return <span role="timer" aria-live="off">{clock(now - Date.parse(since))}</span>;
}

// What the node said when it refused.
export function Fault({ error }: { error: unknown }) {
  const text = useText();
  if (error === null || error === undefined) return null;
  const said = error instanceof Refused ? error.problem : null;
  const detail = said?.code === 'unreachable' ? text.problem.network : said?.detail;
  return (
    <p role="alert" className={style.fault}>
      {said?.code === 'unreachable' ? detail : `${text.problem.general} ${detail ?? ''}`}
    </p>
  );
}

export const number = (value: string): string => value || '–';
