import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { I18nProvider } from 'react-aria-components';

import type { Shown } from '../live/floor';
import { en, type Text } from './en';

export type Language = 'en' | 'zh-Hant-TW' | 'zh-Hans-CN';

// Each catalogue but the first is a chunk of its own.
const load: Record<Language, () => Promise<Text>> = {
  en: async () => en,
  'zh-Hant-TW': async () => (await import('./zh-hant')).zhHant,
  'zh-Hans-CN': async () => (await import('./zh-hans')).zhHans,
};

export const languages: { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh-Hant-TW', name: '繁體中文' },
  { id: 'zh-Hans-CN', name: '简体中文' },
];

// The best of the browser's languages; regions that write Traditional get it.
export function preferred(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const lower = tag.toLowerCase();
    if (lower.startsWith('en')) return 'en';
    if (!lower.startsWith('zh')) continue;
    return /hant|-tw|-hk|-mo/.test(lower) ? 'zh-Hant-TW' : 'zh-Hans-CN';
  }
  return 'en';
}

interface Spoken {
  text: Text;
  language: Language;
  choose: (language: Language) => void;
}

const Context = createContext<Spoken>({ text: en, language: 'en', choose: () => undefined });

const KEY = 'tandem.language';

export function Speaking({ children }: { children: ReactNode }) {
  const kept = localStorage.getItem(KEY) as Language | null;
  const [language, choose] = useState<Language>(
    kept !== null && kept in load ? kept : preferred(navigator.languages),
  );
  const [text, setText] = useState<Text>(en);
  useEffect(() => {
    let current = true;
    document.documentElement.lang = language;
    void load[language]().then((loaded) => current && setText(loaded));
    return () => {
      current = false;
    };
  }, [language]);
  const spoken = useMemo(
    () => ({
      text,
      language,
      choose: (chosen: Language) => {
        localStorage.setItem(KEY, chosen);
        choose(chosen);
      },
    }),
    [text, language],
  );
  return (
    <Context.Provider value={spoken}>
      <I18nProvider locale={language}>{children}</I18nProvider>
    </Context.Provider>
  );
}

export const useSpoken = (): Spoken => useContext(Context);
export const useText = (): Text => useContext(Context).text;

// What an agent's states are called.
export function useStates(): Record<Shown, string> {
  const { strip } = useText();
  return {
    idle: strip.idle,
    ringing: strip.ringing,
    talking: strip.talking,
    wrap_up: strip.wrapUp,
    paused: strip.paused,
    offline: strip.offline,
    logged_out: strip.loggedOut,
  };
}
