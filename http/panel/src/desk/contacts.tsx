import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { allOf } from '../api/pages';
import { useClient, usePhone } from '../house';
import { Button, Fault, Field, style } from '../parts';
import { useText } from '../text';
import own from './desk.module.css';
import { type Contact, fitting } from './search';

// A house with more has a directory of its own.
const MOST_PAGES = 10;

export function Contacts() {
  const text = useText();
  const phone = usePhone();
  const { client, line } = useClient();
  const [wanted, setWanted] = useState('');
  const [error, setError] = useState<unknown>(null);
  const found = useQuery({
    queryKey: ['list', 'contacts', 'all'],
    queryFn: () => allOf<Contact>(client, '/api/v1/contacts?', MOST_PAGES),
    staleTime: 60_000,
  });
  const shown = fitting(found.data ?? [], wanted);
  const dial = (to: string) => {
    setError(null);
    line?.ask({ name: 'dial', to }).catch(setError);
  };
  return (
    <section className={style.card} aria-labelledby="contacts">
      <h2 id="contacts">{text.contacts.title}</h2>
      <Field id="contact" label={text.contacts.search} value={wanted} onChange={setWanted} autoComplete="off" />
      <Fault error={found.error ?? error} />
      {wanted.trim() !== '' && shown.length === 0 && <p className={style.hint}>{text.contacts.none}</p>}
      <ul className={own.lines}>
        {shown.map((contact) => (
          <li key={contact.id} className={style.spread}>
            <span>
              {contact.name}
              {contact.company !== '' && ` · ${contact.company}`}
            </span>
            <span className={style.row}>
              {contact.numbers.map((number) => (
                <Button
                  key={number}
                  aria-label={text.contacts.call(contact.name, number)}
                  isDisabled={phone.duty !== 'on'}
                  onPress={() => dial(number)}
                >
                  {number}
                </Button>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
