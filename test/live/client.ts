/** A page of a made-up run, and clients of it that see every byte. */
import {get, request, type IncomingMessage} from 'node:http';
import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import type {Config} from '../../lib/config/index.js';
import {serveRun, type RunPage, type ServeRunOptions} from '../../lib/live/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {tinyConfig} from '../train/tiny-run.js';

/** A page that is being served. */
export interface Served {
  readonly page: RunPage;
  readonly config: Config;
  readonly folder: string;
  readonly url: URL;
}

/** Serves a page of a run in a temporary folder, on any free port. */
export async function served(t: ExecutionContext, options: ServeRunOptions = {}): Promise<Served> {
  const folder = await temporaryFolder(t);
  const config = tinyConfig(folder, ['training.steps=400']);
  return {folder, config, ...(await servedRun(t, config, options))};
}

/** Serves a page of a run of one's own. */
export async function servedRun(
  t: ExecutionContext,
  config: Config,
  options: ServeRunOptions = {},
): Promise<Pick<Served, 'page' | 'url'>> {
  const onTrouble = (message: string): void => t.fail(message);
  const page = await serveRun(config, {port: 0, onTrouble, ...options});
  t.teardown(() => page.close());
  return {page, url: new URL(page.url)};
}

/** What a request got. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks once. @param path of the request; default that of the page */
export async function ask(
  url: URL,
  {
    path = url.pathname,
    method = 'GET',
    headers = {},
  }: {path?: string; method?: string; headers?: object} = {},
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {host: '127.0.0.1', port: url.port, path, method, headers: {...headers}, agent: false};
    request(options, resolve).on('error', reject).end();
  });
  return {status: response.statusCode!, headers: response.headers, body: await text(response)};
}

/** Sends bytes as they are; what came back until the connection ended. */
export async function askRaw(url: URL, bytes: string): Promise<string> {
  const socket = connect(Number(url.port), '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

/** One event of a stream. */
export interface StreamEvent {
  readonly type: string;
  readonly id: string;
  /** HTML by part. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A client that follows a run. */
export interface Follower {
  /** The next event; undefined at the end of the stream. */
  readonly next: () => Promise<StreamEvent | undefined>;
  readonly leave: () => void;
}

/** Follows a run. @param lastEventId as a browser sends it when it comes back */
export async function follow(
  url: URL,
  {after, lastEventId}: {after?: string; lastEventId?: string} = {},
): Promise<Follower> {
  const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
  const headers = lastEventId === undefined ? {} : {'Last-Event-ID': lastEventId};
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const at = {
      host: '127.0.0.1',
      port: url.port,
      path: `${url.pathname}events${query}`,
      headers,
      agent: false,
    };
    get(at, resolve).on('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  const events = readStream(response);
  return {
    next: async () => (await events.next()).value ?? undefined,
    leave: () => void response.destroy(),
  };
}

async function* readStream(response: IncomingMessage): AsyncGenerator<StreamEvent, void, undefined> {
  let left = '';
  for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
    const messages = (left + piece).split('\n\n');
    left = messages.pop() ?? '';
    for (const message of messages) {
      const fields = new Map(message.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]));
      const data = fields.get('data');
      if (data === undefined) continue;
      const parts = Object.fromEntries(JSON.parse(data) as [string, string][]);
      yield {type: fields.get('event') ?? 'message', id: fields.get('id') ?? '', parts};
    }
  }
}

/** The event that the parts of a page hold already. */
export function seenBy(page: string): string {
  return /data-after="([^"]+)"/.exec(page)![1]!;
}
