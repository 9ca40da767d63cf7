// A browser with a fake microphone that plays a tone, steered by JSON lines: each command has one
// answer. Options come as the first argument: { url, dir, microphone }.

import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../http/panel/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PATIENCE = 20_000;

const options = JSON.parse(process.argv[2]);
const context = await chromium.launchPersistentContext(options.dir, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  bypassCSP: false,
  viewport: { width: 1280, height: 900 },
  locale: 'en-GB',
  args: [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${options.microphone}`,
    '--disable-features=WebRtcHideLocalIpsWithMdns', '--autoplay-policy=no-user-gesture-required',
  ],
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(PATIENCE);

// What noise suppression would take for noise is our tone.
await page.addInitScript(() => {
  const real = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (real === undefined) return;
  navigator.mediaDevices.getUserMedia = ({ audio }) =>
    real({ audio: { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
});

const outside = [];
const errors = [];
const origin = new URL(options.url).host;
page.on('request', (request) => {
  const { protocol, host } = new URL(request.url());
  if (protocol !== 'data:' && protocol !== 'blob:' && host !== origin) outside.push(request.url());
});
page.on('pageerror', (error) => errors.push(String(error)));
page.on('console', (message) => {
  if (message.type() === 'error') errors.push(message.text());
});

const found = ({ role, name, exact = true }) => page.getByRole(role, { name, exact }).first();

const commands = {
  open: async ({ path }) => {
    await page.goto(options.url + path);
  },
  reload: async () => {
    await page.reload();
  },
  fill: async ({ label, text }) => {
    await page.getByLabel(label, { exact: true }).first().fill(text);
  },
  choose: async ({ label, value }) => {
    await page.getByLabel(label, { exact: true }).first().selectOption(value);
  },
  tick: async ({ label }) => {
    await page.getByLabel(label, { exact: true }).first().check();
  },
  press: async (what) => {
    await found(what).click();
  },
  // Waits until something is there and can be used; the moment by this machine's clock.
  wait: async (what) => {
    const element = found(what);
    await element.waitFor();
    const usable = async () => !(await element.isDisabled().catch(() => true));
    for (const end = Date.now() + PATIENCE; !(await usable()); ) {
      if (Date.now() > end) throw new Error(`${what.name} can not be used`);
      await page.waitForTimeout(10);
    }
    return { at: Date.now() };
  },
  count: async ({ role, name }) => ({ count: await page.getByRole(role, { name, exact: true }).count() }),
  text: async ({ text }) => {
    await page.getByText(text, { exact: false }).first().waitFor();
    return { at: Date.now() };
  },
  gone: async ({ text }) => {
    await page.getByText(text, { exact: false }).first().waitFor({ state: 'hidden' });
    return { at: Date.now() };
  },
  // The rows of the queue panel and its figures, in the order in which they are drawn.
  rows: async () =>
    page.evaluate(() => {
      const all = (selector, of) => [...document.querySelectorAll(selector)].map((it) => of(it.dataset));
      const figures = [...document.querySelectorAll('[data-figure]')];
      return {
        waiting: all('[data-waiting]', (it) => ({ call: it.waiting, ringing: it.ringing })),
        active: all('[data-active]', (it) => ({ call: it.active, agent: it.by })),
        agents: all('[data-agent]', (it) => ({ extension: it.agent, state: it.state })),
        figures: Object.fromEntries(figures.map((it) => [it.dataset.figure, it.textContent])),
      };
    }),
  // Drags one element onto another.
  drag: async ({ from, to }) => {
    await page.locator(from).first().dragTo(page.locator(to).first());
  },
  // Moves what is under the pointer by so many pixels.
  haul: async ({ from, x, y }) => {
    const box = await page.locator(from).first().boundingBox();
    const at = { x: box.x + box.width / 2, y: box.y + 12 };
    await page.mouse.move(at.x, at.y);
    await page.mouse.down();
    await page.mouse.move(at.x + x, at.y + y, { steps: 8 });
    await page.mouse.up();
  },
  data: async ({ of, name }) => ({ value: await page.locator(of).first().getAttribute(`data-${name}`) }),
  inside: async ({ of }) => ({ text: await page.locator(of).first().innerText() }),
  context: async ({ at }) => {
    await page.locator(at).first().click({ button: 'right' });
  },
  shown: async () => ({ text: await page.locator('body').innerText() }),
  key: async ({ keys }) => {
    await page.keyboard.press(keys);
  },
  type: async ({ text }) => {
    await page.keyboard.type(text);
  },
  focus: async (what) => {
    await found(what).focus();
  },
  // Presses Tab until something has the focus.
  tab: async ({ name }) => {
    for (let step = 0; step < 80; step += 1) {
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        const labels = element?.labels?.[0]?.textContent;
        return element?.getAttribute('aria-label') ?? labels ?? element?.textContent ?? '';
      });
      if (focused === name) return {};
      await page.keyboard.press('Tab');
    }
    throw new Error(`${name} can not be reached by Tab`);
  },
  // The strongest frequency that the page plays.
  hear: async ({ secs }) =>
    page.evaluate(async (secs) => {
      const stream = document.querySelector('audio')?.srcObject;
      if (!stream) return { hertz: 0, decibels: -200 };
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 32_768;
      analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(stream).connect(analyser);
      await new Promise((done) => setTimeout(done, secs * 1000));
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      let best = 1;
      for (let bin = 1; bin < bins.length; bin += 1) if (bins[bin] > bins[best]) best = bin;
      const answer = { hertz: (best * context.sampleRate) / analyser.fftSize, decibels: bins[best] };
      await context.close();
      return answer;
    }, secs),
  axe: async () => {
    // By the debugger, which the page's policy does not bind.
    await page.evaluate(AXE);
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const result = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), tags);
    return {
      violations: result.violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(' | ')}`),
    };
  },
  theme: async ({ theme }) => {
    await page.emulateMedia({ colorScheme: theme });
  },
  size: async ({ width, height }) => {
    await page.setViewportSize({ width, height });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    return { overflow };
  },
  // The page as a small WebP file, as high as it is but for very long ones.
  picture: async ({ path }) => {
    const { width } = page.viewportSize();
    const height = await page.evaluate(() => Math.min(document.documentElement.scrollHeight, 1_800));
    const png = await page.screenshot({ fullPage: true, clip: { x: 0, y: 0, width, height } });
    const data = await page.evaluate(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
      canvas.getContext('2d').drawImage(image, 0, 0);
      return canvas.toDataURL('image/webp', 0.7);
    }, `data:image/png;base64,${png.toString('base64')}`);
    const bytes = Buffer.from(data.split(',')[1], 'base64');
    writeFileSync(path, bytes);
    return { bytes: bytes.length };
  },
  network: async ({ offline }) => {
    await context.setOffline(offline);
  },
  paint: async () =>
    page.evaluate(() => ({
      ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1,
      bytes: performance
        .getEntriesByType('resource')
        .filter((it) => it.name.endsWith('.js'))
        .reduce((sum, it) => sum + it.encodedBodySize, 0),
    })),
  faults: async () => ({ outside, errors }),
};

process.stdout.write('{"ready":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...((await commands[name](rest)) ?? {}) };
  } catch (error) {
    const text = await page.locator('body').innerText().catch(() => '');
    answer = { ok: false, error: `${name} ${JSON.stringify(rest)}: ${error}\n--- page\n${text}\n--- ${errors.join('\n')}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await context.close();
