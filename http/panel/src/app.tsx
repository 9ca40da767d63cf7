import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  Outlet,
  redirect,
  RouterProvider,
  useRouterState,
} from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';

import { AdminPage } from './admin/page';
import { Client, keptSession } from './api/client';
import type { Session } from './api/types';
import style from './app.module.css';
import { CallPage } from './calls/call';
import { CallsPage } from './calls/page';
import { DeskPage } from './desk/desk';
import { Keys } from './desk/keys';
import { Strip } from './desk/strip';
import { QueuesPage, scopeOf } from './floor/queues';
import { House, useClient, useLink } from './house';
import { MissedPage } from './missed/page';
import { Button, Choice, useNow } from './parts';
import { Line } from './phone/line';
import { SignIn } from './signin';
import { type Language, languages, Speaking, useSpoken, useText } from './text';
import { WallPage } from './wall/page';
import { placeOf, WallScreen } from './wall/screen';

const root = createRootRoute({ component: Shell });
const page = <P extends string>(path: P, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component });

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/desk' });
  },
});

export const call = createRoute({ getParentRoute: () => root, path: '/calls/$id', component: CallPage });
export const admin = createRoute({ getParentRoute: () => root, path: '/admin/$kind', component: AdminPage });

const queues = createRoute({
  getParentRoute: () => root,
  path: '/queues',
  component: QueuesPage,
  validateSearch: scopeOf,
});

const routeTree = root.addChildren([
  start,
  page('/desk', DeskPage),
  queues,
  page('/wallboard', WallPage),
  page('/calls', CallsPage),
  page('/missed', MissedPage),
  call,
  admin,
]);
// Places are in the fragment: the node serves one page and need not know them.
const router = createRouter({ routeTree, history: createHashHistory() });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

export function App() {
  const [wall] = useState(() => placeOf(location.hash));
  return <Speaking>{wall === null ? <Gate /> : <WallScreen place={wall} />}</Speaking>;
}

function Gate() {
  const [session, setSession] = useState<Session | null>(keptSession);
  const [hasEnded, setHasEnded] = useState(false);
  const queries = useMemo(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 5_000 } } }),
    [],
  );
  if (session === null) {
    return (
      <SignIn
        hasEnded={hasEnded}
        onSignedIn={(opened) => {
          setHasEnded(false);
          setSession(opened);
        }}
      />
    );
  }
  const onEnd = () => {
    setHasEnded(true);
    setSession(null);
  };
  return (
    <QueryClientProvider client={queries}>
      <Inside
        key={session.token}
        session={session}
        onEnd={onEnd}
        onLeave={() => {
          queries.clear();
          setSession(null);
        }}
      />
    </QueryClientProvider>
  );
}

function Inside({ session, onEnd, onLeave }: { session: Session; onEnd: () => void; onLeave: () => void }) {
  const client = useMemo(() => new Client(session, onEnd), [session]);
  const speaker = useRef<HTMLAudioElement>(null);
  const [line, setLine] = useState<Line | null>(null);
  const hasPhone = Boolean(session.principal.extension);
  useEffect(() => {
    if (!hasPhone || speaker.current === null) return;
    const opened = new Line(session.token, speaker.current);
    setLine(opened);
    return () => opened.stop();
  }, [session.token, hasPhone]);
  // Another page must not begin with this one's duty, but a reload must.
  const leave = () => {
    line?.stop();
    void client.signOut().then(onLeave);
  };
  return (
    <House client={client} line={line} onLeave={leave}>
      {/* biome-ignore lint/a11y/useMediaCaption: a telephone call */}
      <audio ref={speaker} autoPlay hidden />
      <RouterProvider router={router} />
    </House>
  );
}

function Shell() {
  const text = useText();
  const { client, line, leave } = useClient();
  const role = client.principal.role;
  const { language, choose } = useSpoken();
  const isAlone = useRouterState({ select: (it) => (it.location.search as { alone?: boolean }).alone === true });
  if (isAlone) {
    return (
      <div className={style.shell}>
        <LinkBar />
        <main id="content" tabIndex={-1} className={style.main}>
          <Outlet />
        </main>
      </div>
    );
  }
  return (
    <div className={style.shell}>
      <a className={style.skip} href="#content" onClick={skip}>
        {text.skip}
      </a>
      <header className={style.head}>
        <strong className={style.brand}>Tandem</strong>
        <nav aria-label={text.nav.label} className={style.nav}>
          <Link to="/desk">{text.nav.desk}</Link>
          {role !== 'agent' && <Link to="/queues">{text.nav.queues}</Link>}
          {role !== 'agent' && <Link to="/wallboard">{text.nav.wall}</Link>}
          <Link to="/calls">{text.nav.calls}</Link>
          <Link to="/missed">{text.nav.missed}</Link>
          {role === 'admin' && (
            <Link to="/admin/$kind" params={{ kind: 'extensions' }}>
              {text.nav.admin}
            </Link>
          )}
        </nav>
        <div className={style.tools}>
          <Choice
            label={text.nav.language}
            value={language}
            options={languages}
            onChange={(chosen) => choose(chosen as Language)}
          />
          {line !== null && <Keys />}
          <Button onPress={leave}>{text.signIn.out}</Button>
        </div>
      </header>
      {client.principal.extension && <Strip />}
      <LinkBar />
      <main id="content" tabIndex={-1} className={style.main}>
        <Outlet />
      </main>
    </div>
  );
}

// The fragment is the page's place, so the skip link moves the focus itself.
function skip(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function LinkBar() {
  const text = useText();
  const link = useLink();
  const now = useNow();
  if (link.state === 'live') return null;
  const secs = Math.round((now - link.since) / 1000);
  return (
    <p role="status" className={style.link}>
      {secs < 30 ? text.link.reconnecting(secs) : text.link.offline}
    </p>
  );
}
