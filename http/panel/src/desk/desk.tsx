import { useEffect, useState } from 'react';

import { NoteEditor } from '../calls/note';
import { rememberCall, useClient, useLastCall, usePhone } from '../house';
import { calls } from '../live/phone';
import { Button, Choice, Fault, Field, style, Timer } from '../parts';
import { watchLevel } from '../phone/audio';
import { useText } from '../text';
import own from './desk.module.css';
import { Contacts } from './contacts';
import { MyQueues } from './queues';
import { Today } from './today';

export function DeskPage() {
  const text = useText();
  const { client } = useClient();
  return (
    <>
      <h1>{text.nav.desk}</h1>
      <div className={own.columns}>
        {client.principal.extension ? <PhoneCard /> : <p className={style.hint}>{text.phone.none}</p>}
        <NoteCard />
        <MyQueues />
        {client.principal.extension && <Contacts />}
        {client.principal.extension && <Today own={client.principal.extension} />}
      </div>
    </>
  );
}

// Opens with the talk and stays for the wrap-up, until the next call or until it is closed.
function NoteCard() {
  const text = useText();
  const last = useLastCall();
  if (last === null) return null;
  return (
    <section className={style.card} aria-labelledby="note-title">
      <h2 id="note-title">{text.note.title(last.who)}</h2>
      <NoteEditor key={last.call} call={last.call} id="note" />
      <div>
        <Button onPress={() => rememberCall(null)}>{text.keys.close}</Button>
      </div>
    </section>
  );
}

function PhoneCard() {
  const text = useText();
  const phone = usePhone();
  const { line } = useClient();
  const isOn = phone.duty === 'on' || phone.duty === 'starting';
  const link = phone.state?.link ?? 'connecting';
  return (
    <section className={style.card} aria-labelledby="phone">
      <h2 id="phone">{text.phone.title}</h2>
      {phone.duty === 'no-microphone' && (
        <p role="alert" className={style.fault}>
          {text.phone.noMicrophone}
        </p>
      )}
      {phone.duty === 'elsewhere' && <p className={style.notice}>{text.phone.elsewhere}</p>}
      {isOn ? (
        <>
          <p role="status" data-link={link}>
            {text.phone[link]}
            {phone.quality !== null && ` · ${text.phone.quality[phone.quality]}`}
          </p>
          <Dial />
          <Lines />
          <Sound />
          <div>
            <Button onPress={() => line?.stop()}>{text.phone.off}</Button>
          </div>
        </>
      ) : (
        <>
          <p className={style.hint}>{text.phone.onHint}</p>
          <div>
            <Button look="main" onPress={() => void line?.start()}>
              {phone.duty === 'elsewhere' ? text.phone.takeBack : text.phone.on}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

function Dial() {
  const text = useText();
  const phone = usePhone();
  const { line } = useClient();
  const [to, setTo] = useState('');
  const [error, setError] = useState<unknown>(null);
  return (
    <form
      className={own.dial}
      onSubmit={(event) => {
        event.preventDefault();
        setError(null);
        line?.ask({ name: 'dial', to }).then(() => setTo(''), setError);
      }}
    >
      <Field id="dial" label={text.phone.number} value={to} onChange={setTo} inputMode="tel" autoComplete="off" />
      <Button type="submit" look="main" isDisabled={to === '' || phone.duty !== 'on'}>
        {text.phone.dial}
      </Button>
      <Fault error={error} />
    </form>
  );
}

// All calls of the phone; the strip shows the foremost one only.
function Lines() {
  const text = useText();
  const phone = usePhone();
  const { line } = useClient();
  const all = calls(phone);
  if (all.length < 2) return null;
  return (
    <ul className={own.lines}>
      {all.map((call) => (
        <li key={call.line} className={style.spread} aria-label={text.phone.line(call.caller_name || call.number)}>
          <span>
            {call.caller_name || call.number} · {text.phone.state[call.state]}{' '}
            <Timer since={call.since} skew={phone.skew} />
          </span>
          <span className={style.row}>
            {call.state === 'held' && (
              <Button onPress={() => void line?.ask({ name: 'resume', line: call.line }).catch(() => undefined)}>
                {text.phone.resume}
              </Button>
            )}
            <Button onPress={() => void line?.ask({ name: 'hang_up', line: call.line }).catch(() => undefined)}>
              {text.phone.hangUp}
            </Button>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Sound() {
  const text = useText();
  const phone = usePhone();
  const { line } = useClient();
  const [found, setFound] = useState<MediaDeviceInfo[]>([]);
  const [chosen, setChosen] = useState(line?.devices() ?? { microphone: null, speaker: null, ringer: null });
  const isOn = phone.duty === 'on';
  useEffect(() => {
    if (!isOn) return;
    const look = () => void navigator.mediaDevices.enumerateDevices().then(setFound);
    look();
    navigator.mediaDevices.addEventListener('devicechange', look);
    return () => navigator.mediaDevices.removeEventListener('devicechange', look);
  }, [isOn]);
  if (!isOn) return null;
  const options = (kind: MediaDeviceKind) => [
    { id: '', name: text.phone.standard },
    ...found
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device) => ({ id: device.deviceId, name: device.label || device.deviceId.slice(0, 8) })),
  ];
  const choose = (change: Partial<typeof chosen>) => {
    const next = { ...chosen, ...change };
    setChosen(next);
    // A device that does not work leaves the one before in use.
    void line?.use(next).catch(() => setChosen(chosen));
  };
  return (
    <details>
      <summary>
        {text.phone.microphone}, {text.phone.speaker}, {text.phone.ringer}
      </summary>
      <div className={own.sound}>
        <Choice
          label={text.phone.microphone}
          value={chosen.microphone ?? ''}
          options={options('audioinput')}
          onChange={(id) => choose({ microphone: id || null })}
        />
        <Choice
          label={text.phone.speaker}
          value={chosen.speaker ?? ''}
          options={options('audiooutput')}
          onChange={(id) => choose({ speaker: id || null })}
        />
        <Choice
          label={text.phone.ringer}
          value={chosen.ringer ?? ''}
          options={options('audiooutput')}
          onChange={(id) => choose({ ringer: id || null })}
        />
        <Level />
      </div>
    </details>
  );
}

function Level() {
  const text = useText();
  const { line } = useClient();
  const [level, setLevel] = useState(0);
  const stream = line?.microphone ?? null;
  useEffect(() => (stream === null ? undefined : watchLevel(stream, setLevel)), [stream]);
  return (
    <label>
      {text.phone.level} <meter min={0} max={1} value={level} />
    </label>
  );
}
