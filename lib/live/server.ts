/** The server of a live page: on this machine alone, for those who know the token, with nothing on it but the page and its feed. */
import {randomBytes} from 'node:crypto';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {CrossmapError} from '../errors.js';
import {createTokenCheck} from './token.js';

/** What is served. */
interface Site {
  readonly token: string;
  /** The page. @param nonce that style and script of the page must have to count */
  readonly page: (nonce: string) => string;
  /** Takes over the response as a stream of events. @param after last event that the client has seen */
  readonly follow: (response: ServerResponse, after: string | undefined) => void;
  /** Told of what went wrong while a request was answered. */
  readonly onTrouble: (error: unknown) => void;
}

const address = '127.0.0.1';

/** The port that is tried first where none is asked for, and how many after it. */
const [firstPort, triedPorts] = [6120, 20];

/** Streams of events at one time, and connections of any kind: far more than a person opens. */
const [mostStreams, mostConnections] = [64, 128];

/**
 * Starts a server on 127.0.0.1. It keeps no process alive.
 *
 * @param port default the first free one from 6120; 0 for any free one
 * @throws ERR_IO where the port is taken, or none can be had
 */
export async function startServer(site: Site, port: number | undefined): Promise<Server> {
  const isToken = createTokenCheck(site.token);
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    try {
      const route = routeOf(request, isToken);
      if (typeof route === 'number') refuse(response, route);
      else if (route.name === 'page') sendPage(response, site.page);
      else if (route.name === 'folder') redirect(response, `/${site.token}/`);
      else if (streams.size >= mostStreams) refuse(response, 503);
      else {
        streams.add(response);
        response.on('close', () => streams.delete(response));
        startStream(response);
        site.follow(response, route.after);
      }
    } catch (error) {
      site.onTrouble(error);
      if (!response.headersSent) refuse(response, 500);
      else response.destroy();
    }
  });
  server.maxConnections = mostConnections;
  server.on('connection', (socket) => socket.unref());
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  server.unref();
  await (port === undefined ? listenOnFree(server) : listen(server, port));
  server.on('error', site.onTrouble);
  return server;
}

export function portOf(server: Server): number {
  const bound: AddressInfo | string | null = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function listenOnFree(server: Server): Promise<void> {
  for (let port = firstPort; port < firstPort + triedPorts; port++) {
    try {
      await listen(server, port);
      return;
    } catch (error) {
      if (!(error instanceof CrossmapError) || codeOf(error.cause) !== 'EADDRINUSE') throw error;
    }
  }
  await listen(server, 0);
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({host: address, port, exclusive: true}, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const reason =
      codeOf(cause) === 'EADDRINUSE'
        ? `port ${port} of ${address} is taken by another program; choose another one, or none for the first that is free`
        : `port ${port} of ${address} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new CrossmapError('ERR_IO', `page: ${reason}`, {cause});
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

interface Route {
  readonly name: 'page' | 'folder' | 'events';
  /** Last event that the client has seen, if it says so. */
  readonly after?: string | undefined;
}

/**
 * A page of the web that gives its own name the address 127.0.0.1 has that name here (DNS rebinding). The port may be another one: that of
 * a tunnel.
 */
const localHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** What a request is for, or the status that refuses it. */
function routeOf(
  {url = '', method, headers}: IncomingMessage,
  isToken: (guess: string) => boolean,
): Route | number {
  if (!localHost.test(headers.host ?? '')) return 403;
  const [path = '', query = ''] = url.split('?', 2);
  const [start, token = '', ...rest] = path.split('/');
  if (!isToken(token) || start !== '') return 404;
  const name = rest.join('/');
  if (name !== '' && name !== 'events') return 404;
  if (method !== 'GET') return 405;
  if (rest.length === 0) return {name: 'folder'};
  if (name === '') return {name: 'page'};
  const seen = headers['last-event-id'] ?? new URLSearchParams(query).get('after') ?? undefined;
  return {name: 'events', after: Array.isArray(seen) ? seen[0] : seen};
}

/** Nothing is kept, framed, guessed or read by another site. */
const guards = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const reasons: Readonly<Record<number, string>> = {
  403: 'Open this page by the name 127.0.0.1 or localhost.',
  404: 'Not found. The whole address, with its long secret part, is where crossmap printed it.',
  405: 'Only GET is answered.',
  500: 'The page could not be made. The run goes on.',
  503: 'Too many pages are open.',
};

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, {
    ...guards,
    'Content-Type': 'text/plain; charset=utf-8',
    Connection: 'close', // whatever else the request has is not read
    ...(status === 405 && {Allow: 'GET'}),
  });
  response.end(`${reasons[status] ?? ''}\n`);
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(308, {...guards, Location: to, 'Content-Length': 0});
  response.end();
}

function sendPage(response: ServerResponse, page: Site['page']): void {
  const nonce = randomBytes(16).toString('base64');
  const text = page(nonce);
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src-elem 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'", // colours and places of what is drawn
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  response.writeHead(200, {
    ...guards,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
  });
  response.end(text);
}

function startStream(response: ServerResponse): void {
  response.writeHead(200, {
    ...guards,
    'Content-Type': 'text/event-stream; charset=utf-8',
    'X-Accel-Buffering': 'no',
  });
}
