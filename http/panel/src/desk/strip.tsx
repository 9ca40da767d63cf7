// The strip that never moves: the agent's state with its timer, the call with its timer, and the
// buttons that are legal now, each in its place.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import type { Agent, Call, PhoneCall } from '../api/types';
import { rememberCall, useClient, useLastCall, usePhone, useSelf } from '../house';
import { shown } from '../live/floor';
import { type Button as Legal, calls, foremost, legal, others, type Phone } from '../live/phone';
import { Button, Fault, Timer, useNow } from '../parts';
import { useStates, useText } from '../text';
import { Keypad } from './keypad';
import own from './strip.module.css';
import { TransferPopup } from './transfer';

export function Strip() {
  const text = useText();
  const phone = usePhone();
  const call = foremost(phone);
  const rings = call?.state === 'ringing' && !call.outgoing;
  useRemembered(phone);
  return (
    <section aria-label={text.strip.label} className={own.strip}>
      <State agent={useSelf()} />
      <div className={`${own.call} ${rings ? `ringing ${own.rings}` : ''}`}>
        {call === undefined ? (
          <span className={own.quiet}>{text.strip.noCall}</span>
        ) : (
          <>
            <strong>{call.caller_name || call.number}</strong>
            {call.caller_name !== '' && <span>{call.number}</span>}
            <Others call={call} />
            <span>{text.phone.state[call.state]}</span>
            <Timer since={call.since} skew={phone.skew} />
          </>
        )}
      </div>
      <Buttons call={call} />
      <span role="alert" className={own.hidden}>
        {rings && call !== undefined ? text.phone.incoming(call.caller_name || call.number) : ''}
      </span>
    </section>
  );
}

// The third party of a three-way call, and whoever else is in it.
function Others({ call }: { call: PhoneCall }) {
  const text = useText();
  const { client } = useClient();
  const live = useQuery({
    queryKey: ['calls', 'live'],
    queryFn: () => client.get<{ items: Call[] }>('/api/v1/calls'),
    enabled: call.state !== 'ringing',
    // Agents are told no facts of calls.
    refetchInterval: client.principal.role === 'agent' ? 2_000 : false,
  });
  const own = live.data?.items.find((it) => it.id === call.call);
  const rest = own === undefined ? [] : others(own, client.principal.extension ?? '', call.number);
  if (rest.length === 0) return null;
  return <span>{text.phone.together(rest.join(', '))}</span>;
}

// The call that the note is written on: the first one, also while somebody else is asked about it.
function useRemembered(phone: Phone): void {
  const last = useLastCall();
  const talks = calls(phone).filter((it) => it.state !== 'ringing');
  const [first] = talks.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
  const isThere = talks.some((it) => it.call === last?.call);
  const [id, who] = first === undefined || isThere ? [] : [first.call, first.caller_name || first.number];
  useEffect(() => {
    if (id !== undefined && who !== undefined) rememberCall({ call: id, who });
  }, [id, who]);
}

function State({ agent }: { agent: Agent | undefined }) {
  const text = useText();
  const now = useNow();
  if (agent === undefined) return <div className={own.state} />;
  const words = useStates();
  const state = shown(agent);
  const until = agent.wrap_up_until;
  const left = until ? Math.max(0, Math.ceil((Date.parse(until) - now) / 1000)) : null;
  return (
    <div className={own.state} data-state={state} role="status">
      <span aria-hidden className={own.mark} />
      <strong>{state === 'wrap_up' && left !== null ? text.strip.wrapUpLeft(left) : words[state]}</strong>
      <Timer since={agent.since} />
    </div>
  );
}

function Buttons({ call }: { call: PhoneCall | undefined }) {
  const text = useText();
  const phone = usePhone();
  const { client, line } = useClient();
  const [open, setOpen] = useState<'keypad' | 'transfer' | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [parked, setParked] = useState<{ slot: string; call: string } | null>(null);
  const can: ReadonlySet<Legal> = call === undefined ? new Set() : legal(phone, call);
  const isBusy = call !== undefined && phone.busy.has(call.line);
  const press = (name: 'answer' | 'decline' | 'hang_up' | 'hold' | 'resume') => () => {
    if (call === undefined || line === null) return;
    setError(null);
    line.ask({ name, line: call.line }).catch(setError);
  };
  const off = (button: Legal) => isBusy || !phone.connected || !can.has(button);
  const isHeld = call?.state === 'held';
  const isRinging = can.has('answer');
  const other = calls(phone).find((it) => it.line !== call?.line && it.state !== 'ringing');
  return (
    <div className={own.buttons}>
      {isRinging ? (
        <Button look="main" isDisabled={off('answer')} onPress={press('answer')}>
          {text.phone.answer}
        </Button>
      ) : (
        <Button isDisabled={off(isHeld ? 'resume' : 'hold')} onPress={press(isHeld ? 'resume' : 'hold')}>
          {isHeld ? text.phone.resume : text.phone.hold}
        </Button>
      )}
      <Button
        look={call === undefined ? 'plain' : 'danger'}
        isDisabled={off(isRinging ? 'decline' : 'hang_up')}
        onPress={press(isRinging ? 'decline' : 'hang_up')}
      >
        {isRinging ? text.phone.decline : text.phone.hangUp}
      </Button>
      <Button isDisabled={!can.has('mute')} aria-pressed={phone.muted} onPress={() => line?.mute(!phone.muted)}>
        {phone.muted ? text.phone.unmute : text.phone.mute}
      </Button>
      <Button isDisabled={!can.has('keypad')} onPress={() => setOpen('keypad')}>
        {text.phone.keypad}
      </Button>
      <Button isDisabled={off('transfer')} onPress={() => setOpen('transfer')}>
        {text.phone.transfer}
      </Button>
      {call?.state === 'up' && (
        <Button
          isDisabled={isBusy}
          onPress={() => {
            setError(null);
            client
              .post<{ slot: string }>(`/api/v1/calls/${call.call}/park`, {})
              .then(({ slot }) => setParked({ slot, call: call.call }), setError);
          }}
        >
          {text.phone.park}
        </Button>
      )}
      {parked !== null && (call === undefined || call.call === parked.call) && (
        <p role="status">{text.phone.parkedAt(parked.slot)}</p>
      )}
      {call !== undefined && other !== undefined && (
        <Button
          isDisabled={off('join')}
          onPress={() => {
            setError(null);
            line?.ask({ name: 'join', line: other.line, with: call.line }).catch(setError);
          }}
        >
          {text.phone.join(other.caller_name || other.number)}
        </Button>
      )}
      {call !== undefined && other !== undefined && (
        <Button
          isDisabled={off('merge')}
          onPress={() => {
            setError(null);
            line?.ask({ name: 'merge', line: call.line, with: other.line }).catch(setError);
          }}
        >
          {text.phone.merge(other.caller_name || other.number)}
        </Button>
      )}
      {phone.state?.transfer_failed != null && (
        <p role="alert">{text.phone.transferFailed(phone.state.transfer_failed)}</p>
      )}
      <Fault error={error} />
      {open === 'keypad' && call !== undefined && <Keypad onClose={() => setOpen(null)} />}
      {open === 'transfer' && call !== undefined && <TransferPopup call={call} onClose={() => setOpen(null)} />}
    </div>
  );
}
