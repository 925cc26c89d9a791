/** The live page as a person has it: in a browser, by clicks. Without Chromium (Debian: chromium, or CROSSMAP_CHROMIUM) all is skipped. */
import test from 'ava';
import type {Page} from 'playwright-core';
import {light, dark} from '../../lib/report/palette.js';
import type {TrainEvent} from '../../lib/train/index.js';
import {syntheticRun} from '../report/synthetic.js';
import {isThere, closeBrowser, openPage} from './chromium.js';
import {served, servedRun} from './client.js';

const inBrowser = isThere ? test.serial : test.serial.skip;
test.after.always(closeBrowser);

if (!isThere)
  test('the live page in a browser is not tested here', (t) => {
    t.log('no Chromium: install it (Debian: chromium), or name one in CROSSMAP_CHROMIUM');
    t.pass();
  });

const run = syntheticRun({steps: 400, evaluateEvery: 50});

/** The events of the made-up run up to a step. */
function until(step: number): TrainEvent[] {
  return run.filter(
    (event) => event.type === 'start' || ('step' in event && event.step <= step && event.type !== 'end'),
  );
}

const after = (step: number, end: number): TrainEvent[] =>
  until(end).filter((event) => 'step' in event && event.step > step);
const shown = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
/** Waits for what the page itself can tell; its policy forbids the waiting of Playwright, which evaluates text there. */
async function becomes(page: Page, condition: string): Promise<void> {
  while (!(await page.evaluate(`new Promise((told) => requestAnimationFrame(() => told(${condition})))`)));
}
const top = (page: Page) => page.locator('[data-part="now"]');

inBrowser('the page follows a run, and what is open and focused stays so', async (t) => {
  const {page: live, url} = await served(t);
  live.noteData({stage: 'encode', done: 0.5});
  const page = await openPage(t, url.href);
  await shown(page, 'Encoding the text');
  t.regex(await page.title(), /^preparing · /);
  for (const event of until(100)) live.note(event);
  await shown(page, 'Step 100 of 400');
  t.regex(await page.title(), /^25.% · tiny/);
  await page.getByText('Losses as a table').click();
  await page.getByRole('link', {name: 'Optimiser'}).focus();
  t.true(await page.getByText('Loss at single steps').isVisible());
  for (const event of after(100, 200)) live.note(event);
  await shown(page, 'Step 200 of 400');
  t.true(await page.getByText('Loss at single steps').isVisible());
  t.is(await page.evaluate('document.activeElement.textContent'), 'Optimiser');
  await page.keyboard.press('Enter');
  t.true(page.url().endsWith('#optimiser'));
  t.is(await page.locator('#connection').textContent(), 'live');
});

inBrowser('a chart tells its values under the pointer, also after it was drawn anew', async (t) => {
  const {page: live, url} = await served(t);
  for (const event of until(100)) live.note(event);
  const page = await openPage(t, url.href);
  const plot = page.locator('#losses .plot').first();
  await plot.scrollIntoViewIfNeeded();
  await plot.hover({position: {x: 80, y: 60}});
  const tip = page.locator('.tip');
  t.regex((await tip.textContent())!, /^step \d+Next token [\d.]+$/);
  const before = await tip.textContent();
  for (const event of after(100, 300)) live.note(event);
  await shown(page, 'Step 300 of 400');
  await becomes(page, `document.querySelector('.tip').textContent !== ${JSON.stringify(before)}`);
  t.regex((await tip.textContent())!, /^step \d+Next token [\d.]+$/);
  await page.mouse.move(3, 3);
  t.false(await tip.isVisible());
});

inBrowser('a page that is loaded again shows the same run', async (t) => {
  const {page: live, url} = await served(t);
  for (const event of until(150)) live.note(event);
  const page = await openPage(t, url.href);
  await shown(page, 'Step 150 of 400');
  const before = await page.locator('#losses').textContent();
  await page.reload();
  await shown(page, 'Step 150 of 400');
  t.is(await page.locator('#losses').textContent(), before);
});

inBrowser('a page that is open finds the run again when it goes on', async (t) => {
  const {page: live, url, config} = await served(t);
  for (const event of until(100)) live.note(event);
  const page = await openPage(t, url.href, {complaints: [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/]});
  await shown(page, 'Step 100 of 400');
  live.note({type: 'end', reason: 'aborted', step: 100, seconds: 40, peakBytes: 1});
  await live.close();
  await shown(page, 'the run is over');
  await shown(page, 'The run was stopped.');
  const again = await servedRun(t, config, {port: Number(url.port)});
  for (const event of until(100)) again.page.note(event);
  for (const event of after(100, 250)) again.page.note(event);
  await shown(page, 'Step 250 of 400');
  t.is(await page.locator('#connection').textContent(), 'live');
  t.is(await page.locator('.status').textContent(), 'training');
});

inBrowser('a hidden tab tells in its name how far the run is, and draws when somebody looks', async (t) => {
  const {page: live, url} = await served(t);
  for (const event of until(100)) live.note(event);
  const page = await openPage(t, url.href);
  await shown(page, 'live');
  const hide = (isHidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', {value: ${isHidden}, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'))`);
  await hide(true);
  for (const event of after(100, 300)) live.note(event);
  await becomes(page, 'document.title.startsWith("75")');
  t.true((await top(page).textContent())!.includes('Step 100 of 400'));
  await hide(false);
  await shown(page, 'Step 300 of 400');
});

inBrowser('a failure is an alert; the path of the report can be copied', async (t) => {
  const {page: live, url} = await served(t);
  for (const event of until(60)) live.note(event);
  const page = await openPage(t, url.href, {
    complaints: [/ERR_CONNECTION_REFUSED/],
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await shown(page, 'live');
  live.fail(new Error('step 61: the loss is not finite'));
  await live.close({report: '/runs/tiny/report.html'});
  t.regex((await page.getByRole('alert').textContent())!, /step 61: the loss is not finite/);
  await shown(page, 'the run is over');
  await page.getByRole('button', {name: 'Copy the path'}).click();
  await page.getByRole('button', {name: 'Copied'}).waitFor();
  t.is(await page.evaluate('navigator.clipboard.readText()'), '/runs/tiny/report.html');
});

for (const [colorScheme, {page: background}] of [
  ['light', light],
  ['dark', dark],
] as const)
  for (const width of [360, 1200])
    inBrowser(`the page fits ${width} pixels and is ${colorScheme} where the reader wants it`, async (t) => {
      const {page: live, url} = await served(t);
      live.note(run[0]!);
      live.note({type: 'warning', step: 0, message: `a long word: ${'x'.repeat(300)}`});
      for (const event of until(200).slice(1)) live.note(event);
      const page = await openPage(t, url.href, {colorScheme, viewport: {width, height: 800}});
      await shown(page, 'Step 200 of 400');
      t.is(await page.evaluate('document.documentElement.scrollWidth'), width);
      const rgb = [1, 3, 5].map((at) => parseInt(background.slice(at, at + 2), 16)).join(', ');
      t.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), `rgb(${rgb})`);
      t.true((await page.screenshot()).length > 20_000); // it can be drawn, and is not empty
    });

inBrowser('every progress bar, chart and region has a name for a screen reader', async (t) => {
  const {page: live, url} = await served(t);
  for (const event of until(100)) live.note(event);
  const page = await openPage(t, url.href);
  await shown(page, 'Step 100 of 400');
  const nameless = `[...document.querySelectorAll('progress, svg[role=img], [role=region], nav, button')]
    .filter((each) => !(each.getAttribute('aria-label') || each.textContent.trim())).map((each) => each.outerHTML.slice(0, 80))`;
  t.deepEqual(await page.evaluate(nameless), []);
  t.is(await page.locator('h1').count(), 1);
  t.is(await page.locator('.status[role=status]').textContent(), 'training');
});
