/**
 * Training behind an HTTP server: the run lives in a worker thread, its events reach browsers as server-sent events.
 *
 *     node server.js train.yaml [port]
 *
 * | request         | what it does                                                                    |
 * | --------------- | ------------------------------------------------------------------------------- |
 * | `POST /train`   | starts the run, or goes on with it; 409 while it is running                     |
 * | `DELETE /train` | lets it finish its step, save a checkpoint and end; answers once it has         |
 * | `GET /events`   | `text/event-stream`: the latest event of each type, then all that come          |
 *
 * Ops do not block the event loop, but reading corpora and packing batches are JavaScript: in a thread of its own none of it
 * delays an answer. Thread and server share nothing; what they tell each other are messages.
 */
import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {Worker, isMainThread, parentPort, workerData} from 'node:worker_threads';
import {loadConfig} from 'crossmap/config';
import {train, type TrainEvent} from 'crossmap/train';

/** What the thread tells: an event of the run, or why it failed. */
type Message = TrainEvent | {readonly type: 'error'; readonly message: string};

if (isMainThread) serve(process.argv[2], Number(process.argv[3] ?? 8080));
else await trainHere(String(workerData));

/** The worker thread: trains until the run is over or `abort` comes, and tells each event. */
async function trainHere(configFile: string): Promise<void> {
  const abort = new AbortController();
  parentPort?.once('message', () => abort.abort());
  const tell = (message: Message): void => parentPort?.postMessage(message);
  try {
    const config = await loadConfig(configFile);
    for await (const event of train(config, {signal: abort.signal})) tell(event);
  } catch (error) {
    tell({type: 'error', message: error instanceof Error ? error.message : String(error)});
  } finally {
    parentPort?.close(); // nothing keeps the thread any more
  }
}

/** The main thread: one run at a time, and whoever listens. */
function serve(configFile: string | undefined, port: number): void {
  if (configFile === undefined) throw new Error('usage: node server.js train.yaml [port]');
  const listeners = new Set<ServerResponse>();
  const latest = new Map<string, Message>();
  let worker: Worker | undefined;

  const tell = (message: Message): void => {
    latest.set(message.type, message);
    for (const listener of listeners) listener.write(asServerSentEvent(message));
  };
  const start = (): boolean => {
    if (worker !== undefined) return false;
    latest.clear();
    worker = new Worker(new URL(import.meta.url), {workerData: configFile});
    worker.on('message', tell);
    worker.on('error', ({message}) => tell({type: 'error', message}));
    worker.once('exit', () => (worker = undefined));
    return true;
  };
  const stop = async (): Promise<boolean> => {
    if (worker === undefined) return false;
    worker.postMessage('abort');
    await once(worker, 'exit');
    return true;
  };
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
    for (const message of latest.values()) response.write(asServerSentEvent(message));
    listeners.add(response);
    request.once('close', () => listeners.delete(response));
  };

  const server = createServer((request, response) => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /events') listen(request, response);
    else if (route === 'POST /train') response.writeHead(start() ? 202 : 409).end();
    else if (route === 'DELETE /train')
      void stop().then((wasRunning) => response.writeHead(wasRunning ? 200 : 409).end());
    else response.writeHead(404).end();
  });
  // For this machine alone: who can reach it can start and stop the run.
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
  });
  process.once('SIGTERM', () => {
    for (const listener of listeners) listener.end();
    server.close();
    void stop();
  });
}

/** One event; the line that a browser's `EventSource` reads. */
function asServerSentEvent(message: Message): string {
  return `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`;
}
