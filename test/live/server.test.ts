import {stat, writeFile, chmod, readFile, mkdir} from 'node:fs/promises';
import {connect} from 'node:net';
import {join} from 'node:path';
import test from 'ava';
import {CrossmapError} from '../../lib/index.js';
import {serveRun} from '../../lib/live/index.js';
import type {TrainEvent} from '../../lib/train/index.js';
import {evaluation, start, step} from '../cli/events.js';
import {temporaryFolder} from '../formats/folder.js';
import {tinyConfig} from '../train/tiny-run.js';
import {ask, askRaw, follow, seenBy, served, servedRun} from './client.js';

test('the page is a whole document that shows the run so far and loads nothing from anywhere', async (t) => {
  const {page, url, config} = await served(t);
  page.note(start);
  page.note(step(1));
  const {status, headers, body} = await ask(url);
  t.is(status, 200);
  t.is(headers['content-type'], 'text/html; charset=utf-8');
  t.true(body.includes('Step 1 of 400') && body.includes(`<h1>${config.name}</h1>`));
  t.notRegex(body, /\b(?:https?:)?\/\/[a-z]/i);
  t.notRegex(body, /<(?:img|iframe|object|embed)\b|\bsrc=|@import|url\(/);
});

test('the policy of the page allows its own style and script alone, and no other site anything', async (t) => {
  const {url} = await served(t);
  const [first, second] = [await ask(url), await ask(url)];
  const policy = first.headers['content-security-policy'] as string;
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)![1]!;
  t.true(policy.startsWith("default-src 'none'; "));
  t.false(/script-src[^;]*unsafe/.test(policy));
  t.is(first.body.split(`nonce="${nonce}"`).length, 3);
  t.notRegex(second.body, new RegExp(nonce.replace(/[+/]/g, '\\$&')));
  t.like(first.headers, {
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  for (const {headers} of [first, await ask(url, {headers: {Origin: 'http://other.example'}})])
    t.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
});

test('without the token everything is the same 404, files of the run included', async (t) => {
  const {url, folder} = await served(t);
  await writeFile(join(folder, 'secret.txt'), 'secret');
  const token = url.pathname.slice(1, -1);
  const wrong = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
  const none = await ask(url, {path: '/'});
  t.is(none.status, 404);
  for (const path of [
    '/events',
    `/${wrong}/`,
    `/${wrong}/events`,
    `/${token.toLowerCase()}/`,
    `/${token}x/`,
    `//${token}/`,
    `/${token}/metrics.jsonl`,
    `/${token}/report.html`,
    `/${token}/../secret.txt`,
    `/${token}/..%2fsecret.txt`,
    `/${token}/events/`,
    '/secret.txt',
    '/.page-token',
    '/%',
    '/favicon.ico',
    `/?token=${token}`,
  ])
    t.like(await ask(url, {path}), {status: 404, body: none.body}, path);
  t.like(await ask(url, {path: `/${wrong}/`, method: 'POST'}), {status: 404, body: none.body});
});

test('the address without its last slash leads to the page', async (t) => {
  const {url} = await served(t);
  const {status, headers} = await ask(url, {path: url.pathname.slice(0, -1)});
  t.deepEqual([status, headers.location], [308, url.pathname]);
});

test('a name that is not of this machine is refused, so that no site can give itself its address', async (t) => {
  const {url} = await served(t);
  for (const host of [
    'evil.example',
    `evil.example:${url.port}`,
    '127.0.0.1.evil.example',
    'localhost@evil',
    '0.0.0.0',
  ])
    t.is((await ask(url, {headers: {Host: host}})).status, 403, host);
  for (const host of [`127.0.0.1:${url.port}`, 'localhost', 'LOCALHOST:8000', '[::1]:9'])
    t.is((await ask(url, {headers: {Host: host}})).status, 200, host);
});

test('only GET is answered', async (t) => {
  const {url} = await served(t);
  for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])
    t.like(await ask(url, {method}), {status: 405}, method);
  t.is((await ask(url, {method: 'OPTIONS'})).headers.allow, 'GET');
});

test('what is no request of HTTP is refused, and the page goes on', async (t) => {
  const {url} = await served(t);
  t.regex(await askRaw(url, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  t.regex(
    await askRaw(url, `GET ${url.pathname} HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
    /^HTTP\/1\.1 4\d\d /,
  );
  t.regex(await askRaw(url, `GET ${url.pathname} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 400 /); // no host
  t.regex(
    await askRaw(
      url,
      `GET http://other.example${url.pathname} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    ),
    /^HTTP\/1\.1 404 /,
  );
  t.is((await ask(url)).status, 200);
});

test('a client gets what is new since its page, and nothing else', async (t) => {
  const {page, url} = await served(t);
  page.note(start);
  page.note(step(1));
  page.note(evaluation(0, 3, 0.1));
  const client = await follow(url, {after: seenBy((await ask(url)).body)});
  page.note(step(2));
  const {parts, type} = (await client.next())!;
  t.is(type, 'message');
  t.true(parts['now']!.includes('Step 2 of 400'));
  t.true(parts['losses']!.includes('at step 2'));
  t.deepEqual(
    ['languages', 'alignment', 'retrieval', 'samples', 'configuration', 'nav'].filter((id) => id in parts),
    [],
  );
});

test('a client that comes back gets what it missed; with an event of another server, everything', async (t) => {
  const {page, url} = await served(t);
  page.note(start);
  const first = await follow(url);
  const {id, parts: all} = (await first.next())!;
  t.true(Object.keys(all).length > 8);
  first.leave();
  page.note(step(7));
  const back = (await (await follow(url, {after: 'older-0', lastEventId: id})).next())!;
  t.true(back.parts['now']!.includes('Step 7 of 400'));
  t.false('configuration' in back.parts);
  const [boot] = id.split('-');
  for (const lastEventId of ['aaaaaaaaaaaa-9', `${boot}-x`, `${boot}--1`, `${boot}-1e3`, 'x'.repeat(500)]) {
    const {parts} = (await (await follow(url, {lastEventId})).next())!;
    t.true('configuration' in parts, lastEventId);
  }
});

test('64 clients see each state; one more is told that there are too many, until one leaves', async (t) => {
  const {page, url} = await served(t);
  page.note(start);
  const after = seenBy((await ask(url)).body);
  const clients = await Promise.all(Array.from({length: 64}, () => follow(url, {after})));
  t.is((await ask(url, {path: `${url.pathname}events`})).status, 503);
  page.note(step(3));
  for (const {parts} of await Promise.all(clients.map(async ({next}) => (await next())!)))
    t.true(parts['now']!.includes('Step 3 of 400'));
  clients[0]!.leave();
  for (;;) {
    const another = await follow(url).catch(() => undefined);
    if (another !== undefined) break;
  }
  t.pass();
});

test('at its end the run says goodbye, names the report, and the server is gone', async (t) => {
  const {page, url} = await served(t);
  page.note(start);
  const client = await follow(url, {after: seenBy((await ask(url)).body)});
  page.note({type: 'end', reason: 'finished', step: 400, seconds: 9, peakBytes: 1});
  await page.close({report: '/runs/x/report.html'});
  let shown: Record<string, string> = {};
  let type = '';
  for (let event = await client.next(); event; event = await client.next()) {
    shown = {...shown, ...event.parts};
    ({type} = event);
  }
  t.is(type, 'end');
  t.true(shown['now']!.includes('<code>/runs/x/report.html</code>'));
  t.true(shown['head']!.includes('data-phase="finished"'));
  await t.throwsAsync(ask(url), {code: 'ECONNREFUSED'});
});

test('a client that does not read does not hold up the end', async (t) => {
  const {page, url} = await served(t);
  const socket = connect(Number(url.port), '127.0.0.1').pause();
  t.teardown(() => socket.destroy());
  socket.write(`GET ${url.pathname}events HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const other = await follow(url); // a stream is open: the first one was asked for before it
  page.note(start);
  await page.close();
  other.leave();
  await t.throwsAsync(ask(url), {code: 'ECONNREFUSED'});
});

test('a failure is shown with its message', async (t) => {
  const {page, url} = await served(t);
  page.fail(new CrossmapError('ERR_DIVERGED', 'step 3: the loss is <b>NaN</b>'));
  t.true(
    (await ask(url)).body.includes('<pre>ERR_DIVERGED: step 3: the loss is &lt;b&gt;NaN&lt;/b&gt;</pre>'),
  );
  t.true((await ask(url)).body.includes('data-phase="failed"'));
});

test('the preparation of data is shown stage by stage', async (t) => {
  const {page, url} = await served(t);
  page.noteData({stage: 'scan', done: 1});
  page.noteData({stage: 'tokenizer', done: 0.25});
  const {body} = await ask(url);
  t.regex(body, /Training the tokenizer<\/span>\s*<progress max="1" value="0.2500"/);
  t.true(body.includes('data-phase="preparing"'));
  page.note(start);
  t.false((await ask(url)).body.includes('Training the tokenizer'));
});

test('what an earlier part of the run left is shown, and rolled back where the run goes on', async (t) => {
  const folder = await temporaryFolder(t);
  const config = tinyConfig(folder, ['training.steps=400']);
  const past: TrainEvent[] = [start, ...Array.from({length: 30}, (_, i) => step(i + 1))];
  await mkdir(config.output, {recursive: true});
  const lines = past.map((event) => `${JSON.stringify(event)}\n`).join('');
  await writeFile(join(config.output, 'metrics.jsonl'), `${lines}{"type":"st`);
  const {page, url} = await servedRun(t, config);
  page.note({...start, resumedFrom: 20});
  page.note(step(21));
  for (;;) {
    const {body} = await ask(url); // reading goes on meanwhile
    if (!body.includes('Step 21 of 400')) continue;
    t.regex(body, /from [\d.]+ at step 1 to [\d.]+ at step 21"/);
    t.true(body.includes('Continued'));
    break;
  }
  const fresh = await servedRun(t, config, {fresh: true});
  t.false((await ask(fresh.url)).body.includes('Step 30 of 400'));
});

test('the token stays that of the run, readable by its owner alone', async (t) => {
  const {url, config} = await served(t);
  const file = join(config.output, '.page-token');
  if (process.platform !== 'win32') t.is((await stat(file)).mode & 0o777, 0o600);
  t.is(await readFile(file, 'utf8'), url.pathname.slice(1, -1));
  t.is((await servedRun(t, config)).url.pathname, url.pathname);
  await chmod(file, 0o644);
  const other = (await servedRun(t, config)).url.pathname;
  if (process.platform !== 'win32') t.not(other, url.pathname);
  await writeFile(file, '../../etc');
  t.regex((await servedRun(t, config)).url.pathname, /^\/[\w-]{32}\/$/);
  t.not((await served(t)).url.pathname, other);
});

test('a port that is taken is an error; without one the next is taken', async (t) => {
  const {url, config} = await served(t);
  await t.throwsAsync(serveRun(config, {port: Number(url.port)}), {
    code: 'ERR_IO',
    message: `page: port ${url.port} of 127.0.0.1 is taken by another program; choose another one, or none for the first that is free`,
  });
  const [one, two] = [await serveRun(config), await serveRun(config)];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  t.not(new URL(one.url).port, new URL(two.url).port);
});

for (const port of [-1, 65_536, 1.5, NaN])
  test(`${port} is no port`, async (t) => {
    const config = tinyConfig(await temporaryFolder(t));
    await t.throwsAsync(serveRun(config, {port}), {
      code: 'ERR_ARGUMENT',
      message: `serveRun: port must be a whole number from 0 to 65535; got ${port}`,
    });
  });

test('a page that cannot be made is told of once and troubles nobody', async (t) => {
  const troubles: string[] = [];
  const {page, url} = await served(t, {onTrouble: (message) => troubles.push(message)});
  page.note(start);
  page.note({...step(1), losses: undefined} as unknown as TrainEvent);
  for (let i = 0; i < 3; i++) {
    page.note(step(2));
    t.true([200, 500].includes((await ask(url)).status));
  }
  t.is(troubles.length, 1);
  t.regex(troubles[0]!, /^the live page: /);
  await t.notThrowsAsync(page.close());
});

test('text from outside is shown, never run', async (t) => {
  const attack = '</script><script>alert(1)</script><img src=x onerror="alert(2)">';
  const {page, url} = await served(t);
  page.note({...start, device: attack, languages: [attack], output: attack});
  page.note({type: 'warning', step: 1, message: attack});
  page.fail(new Error(attack));
  const {body} = await ask(url);
  t.is(body.split('<script').length, 2); // our own
  t.notRegex(body, /<img/);
  const {parts} = (await (await follow(url)).next())!;
  t.notRegex(Object.values(parts).join(), /<script|<img/);
});
