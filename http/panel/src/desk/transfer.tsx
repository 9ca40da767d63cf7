import { type FormEvent, useState } from 'react';

import type { PhoneCall } from '../api/types';
import { useClient } from '../house';
import { Button, Fault, Field, Popup, style } from '../parts';
import { useText } from '../text';

// Now, or after a word with whom it goes to: the caller is held and the target is dialled.
export function TransferPopup({ call, onClose }: { call: PhoneCall; onClose: () => void }) {
  const text = useText();
  const { line } = useClient();
  const [to, setTo] = useState('');
  const [error, setError] = useState<unknown>(null);
  const send = (command: Parameters<NonNullable<typeof line>['ask']>[0]) => {
    setError(null);
    line?.ask(command).then(onClose, setError);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ name: 'transfer', line: call.line, to });
  };
  return (
    <Popup title={text.phone.transfer} onClose={onClose}>
      <form onSubmit={submit} className={style.field}>
        <Field label={text.phone.transferTo} value={to} onChange={setTo} inputMode="tel" autoFocus isRequired />
        <Fault error={error} />
        <div className={style.row}>
          <Button type="submit" look="main" isDisabled={to === ''}>
            {text.phone.blind}
          </Button>
          <Button isDisabled={to === ''} onPress={() => send({ name: 'dial', to })}>
            {text.phone.consult}
          </Button>
          <Button onPress={onClose}>{text.phone.cancel}</Button>
        </div>
      </form>
    </Popup>
  );
}
