/** A registry on this machine that takes crossmap's packages and gets all others from the usual one. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {root} from '../repository/support.js';

export interface Registry {
  readonly url: string;
  /** For npm: who may publish. */
  readonly userConfig: string;
  readonly stop: () => Promise<void>;
}

/** Starts verdaccio on a free port of loopback; what it holds lies below `folder`. */
export async function startRegistry(folder: string, upstream: string): Promise<Registry> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = join(folder, 'verdaccio.json');
  await mkdir(folder, {recursive: true});
  const own = {access: '$all', publish: '$authenticated'};
  await writeFile(
    config,
    JSON.stringify({
      storage: join(folder, 'storage'),
      auth: {htpasswd: {file: join(folder, 'users'), max_users: 1}},
      uplinks: {upstream: {url: upstream, timeout: '60s', maxage: '30m'}},
      packages: {crossmap: own, '@crossmap/*': own, '**': {access: '$all', proxy: 'upstream'}},
      max_body_size: '200mb',
      web: {enable: false},
      log: {type: 'file', path: join(folder, 'verdaccio.log'), level: 'warn'},
    }),
  );
  const program = join(root, 'scripts/release/registry/node_modules/verdaccio/bin/verdaccio');
  const child = spawn(process.execPath, [program, '--config', config, '--listen', `127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    await Promise.race([
      answers(url),
      ended.then(([status]) => {
        throw new Error(`verdaccio ended with ${String(status)}`);
      }),
    ]);
    const userConfig = join(folder, 'npmrc');
    await writeFile(userConfig, `//127.0.0.1:${port}/:_authToken=${await createUser(url)}\n`);
    return {url, userConfig, stop};
  } catch (error) {
    child.kill();
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function answers(url: string): Promise<void> {
  for (;;) {
    const isThere = await fetch(new URL('-/ping', url)).then(
      ({ok}) => ok,
      () => false,
    );
    if (isThere) return;
    await sleep(100);
  }
}

async function createUser(url: string): Promise<string> {
  const response = await fetch(new URL('-/user/org.couchdb.user:tester', url), {
    method: 'PUT',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({name: 'tester', password: 'a password for tests alone'}),
  });
  const {token} = (await response.json()) as {token?: string};
  if (token === undefined) throw new Error(`verdaccio makes no user: status ${response.status}`);
  return token;
}
