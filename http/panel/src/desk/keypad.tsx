import { useEffect } from 'react';

import { useClient } from '../house';
import { Button, Popup } from '../parts';
import { useText } from '../text';
import own from './keypad.module.css';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

// Digits are sent as they are pressed; typed ones only while the keypad is open.
export function Keypad({ onClose }: { onClose: () => void }) {
  const text = useText();
  const { line } = useClient();
  useEffect(() => {
    // On its way down: buttons keep keys to themselves.
    const typed = (event: KeyboardEvent) => {
      if (DIGITS.includes(event.key) && !event.repeat) line?.press(event.key);
    };
    document.addEventListener('keydown', typed, true);
    return () => document.removeEventListener('keydown', typed, true);
  }, [line]);
  return (
    <Popup title={text.phone.keypad} onClose={onClose}>
      <div className={own.pad}>
        {DIGITS.map((digit) => (
          <Button key={digit} autoFocus={digit === '1'} onPress={() => line?.press(digit)}>
            {digit}
          </Button>
        ))}
      </div>
      <Button onPress={onClose}>{text.keys.close}</Button>
    </Popup>
  );
}
