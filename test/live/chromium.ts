/** Chromium without a window, where the system has one. */
import {existsSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import {chromium, type Browser, type BrowserContextOptions, type Page} from 'playwright-core';

const found = [process.env['CROSSMAP_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== '' && existsSync(path),
);

/** Whether there is one. */
export const isThere = found !== undefined;

let browser: Promise<Browser> | undefined;

/** One browser for all tests of a file; `--no-sandbox` for containers, where there is root alone. */
function launched(): Promise<Browser> {
  browser ??= chromium.launch({executablePath: found!, args: ['--no-sandbox', '--disable-gpu']});
  return browser;
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

/** A page whose complaints, those about its policy included, are failures of the test. */
export async function openPage(
  t: ExecutionContext,
  url: string,
  {complaints = [], ...options}: BrowserContextOptions & {readonly complaints?: readonly RegExp[]} = {},
): Promise<Page> {
  const context = await (await launched()).newContext({viewport: {width: 1200, height: 900}, ...options});
  t.teardown(() => context.close());
  const page = await context.newPage();
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !complaints.some((known) => known.test(text))) t.fail(text);
  });
  page.on('pageerror', (error) => t.fail(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('data:'))
      t.fail(request.url());
  });
  await page.goto(url);
  return page;
}
