// Keys that work everywhere but in text fields; with Alt and Shift, which screen readers leave.

import { useEffect, useState } from 'react';

import { useClient } from '../house';
import { foremost, legal } from '../live/phone';
import type { Line } from '../phone/line';
import { Button, Popup, style } from '../parts';
import { useText } from '../text';

function pressed(line: Line, code: string): boolean {
  const phone = line.phone;
  const call = foremost(phone);
  if (code === 'KeyD') {
    document.getElementById('dial')?.focus();
    return true;
  }
  if (code === 'KeyN') {
    document.getElementById('note')?.focus();
    return true;
  }
  if (call === undefined) return false;
  const can = legal(phone, call);
  const ask = (name: 'answer' | 'decline' | 'hang_up' | 'hold' | 'resume') => {
    // What is refused shows in the state that follows.
    if (can.has(name)) void line.ask({ name, line: call.line }).catch(() => undefined);
    return can.has(name);
  };
  switch (code) {
    case 'KeyA':
      return ask('answer');
    case 'KeyX':
      return ask(can.has('decline') ? 'decline' : 'hang_up');
    case 'KeyH':
      return ask(call.state === 'held' ? 'resume' : 'hold');
    case 'KeyM':
      if (can.has('mute')) line.mute(!phone.muted);
      return true;
    default:
      return false;
  }
}

export function Keys() {
  const text = useText();
  const { line } = useClient();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isShortcut = event.altKey && event.shiftKey && !event.ctrlKey && !event.isComposing;
      if (isShortcut && line !== null && pressed(line, event.code)) event.preventDefault();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [line]);
  const keys: [string, string][] = [
    ['A', text.keys.answer],
    ['X', text.keys.hangUp],
    ['H', text.keys.hold],
    ['M', text.keys.mute],
    ['D', text.keys.dial],
    ['N', text.keys.note],
  ];
  return (
    <>
      <Button aria-label={text.keys.help} onPress={() => setIsOpen(true)}>
        ?
      </Button>
      {isOpen && (
        <Popup title={text.keys.title} onClose={() => setIsOpen(false)}>
          <table className={style.table}>
            <tbody>
              {keys.map(([key, what]) => (
                <tr key={key}>
                  <th scope="row">
                    <kbd>Alt</kbd> + <kbd>Shift</kbd> + <kbd>{key}</kbd>
                  </th>
                  <td>{what}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <Button autoFocus onPress={() => setIsOpen(false)}>
            {text.keys.close}
          </Button>
        </Popup>
      )}
    </>
  );
}
