import { useClient } from '../house';
import { Button, Popup } from '../parts';
import { useText } from '../text';
import own from './keypad.module.css';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

// Digits are sent as they are pressed; typed ones only while the keypad has the focus.
export function Keypad({ onClose }: { onClose: () => void }) {
  const text = useText();
  const { line } = useClient();
  return (
    <Popup title={text.phone.keypad} onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys bubble from the buttons */}
      <div
        className={own.pad}
        onKeyDown={(event) => {
          if (DIGITS.includes(event.key)) line?.press(event.key);
        }}
      >
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
