import { type FormEvent, useState } from 'react';

import { Client, Refused } from './api/client';
import type { Session } from './api/types';
import { Button, Choice, Fault, Field, style } from './parts';
import { type Language, languages, useSpoken } from './text';
import own from './signin.module.css';

export function SignIn({ hasEnded, onSignedIn }: { hasEnded: boolean; onSignedIn: (session: Session) => void }) {
  const { text, language, choose } = useSpoken();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setError(null);
    try {
      onSignedIn(await Client.signIn(name, password));
    } catch (caught) {
      setError(caught);
      setIsBusy(false);
    }
  };
  const isWrong = error instanceof Refused && error.problem.status === 401;
  return (
    <main className={own.page}>
      <form className={style.card} onSubmit={submit}>
        <h1>{text.signIn.title}</h1>
        {hasEnded && <p className={style.notice}>{text.signIn.again}</p>}
        <Field label={text.signIn.name} value={name} onChange={setName} autoComplete="username" autoFocus isRequired />
        <Field
          label={text.signIn.password}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          isRequired
        />
        {isWrong ? (
          <p role="alert" className={style.fault}>
            {text.signIn.wrong}
          </p>
        ) : (
          <Fault error={error} />
        )}
        <Button type="submit" look="main" isDisabled={isBusy}>
          {text.signIn.go}
        </Button>
        <Choice
          label={text.nav.language}
          value={language}
          options={languages}
          onChange={(chosen) => choose(chosen as Language)}
        />
      </form>
    </main>
  );
}
