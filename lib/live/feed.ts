/** What the page shows, in parts, and the streams that bring each client the parts that it has not seen. */
import {randomBytes} from 'node:crypto';
import type {ServerResponse} from 'node:http';

/** A part of the page. */
export interface Part {
  readonly id: string;
  readonly html: string;
}

/** Parts as they are now, and who follows them. */
interface Feed {
  /** Of the present state: who has seen it is sent only what comes later. */
  readonly eventId: string;
  readonly parts: readonly Part[];
  readonly clients: number;
  /** Sends what differs from before to those who keep up; the others get it once they do. */
  publish(parts: readonly Part[]): void;
  /** Streams to a client whose request was accepted. @param after `eventId` that it has seen; default none */
  add(response: ServerResponse, after: string | undefined): void;
  /** Tells every client that nothing will come any more, and lets them go. */
  end(): void;
}

interface Client {
  readonly response: ServerResponse;
  /** Version of the newest part that was sent. */
  seen: number;
  /** Whether what was sent last still waits: one message at most does, however slow the client. */
  waits: boolean;
}

interface VersionedPart extends Part {
  readonly version: number;
}

/** Of a connection on which nothing happens: shows that it is alive, and finds out when it is not. */
const heartbeatMs = 15_000;

/** After how long a browser tries again. */
const retryMs = 2000;

export function createFeed(): Feed {
  const boot = randomBytes(6).toString('hex'); // versions of another server mean nothing to this one
  const parts = new Map<string, VersionedPart>();
  const clients = new Set<Client>();
  let version = 0;
  let heartbeat: NodeJS.Timeout | undefined;

  const write = (client: Client, text: string): void => {
    client.waits = !client.response.write(text);
    if (client.waits)
      client.response.once('drain', () => {
        client.waits = false;
        send(client);
      });
  };
  const news = (client: Client): string => {
    const changed = [...parts.values()].filter((part) => part.version > client.seen);
    client.seen = version;
    const data = JSON.stringify(changed.map(({id, html}) => [id, html]));
    return `id: ${boot}-${version}\ndata: ${data}\n\n`;
  };
  const send = (client: Client): void => {
    if (!client.waits && client.seen < version) write(client, news(client));
  };
  const beat = (): void => {
    for (const client of clients) if (!client.waits) write(client, ':\n\n');
  };
  const remove = (client: Client): void => {
    clients.delete(client);
    if (clients.size > 0) return;
    clearInterval(heartbeat);
    heartbeat = undefined;
  };
  return {
    get eventId() {
      return `${boot}-${version}`;
    },
    get parts() {
      return [...parts.values()];
    },
    get clients() {
      return clients.size;
    },
    publish(now) {
      for (const part of now)
        if (parts.get(part.id)?.html !== part.html) parts.set(part.id, {...part, version: version + 1});
      if ([...parts.values()].some((part) => part.version > version)) version++;
      for (const client of clients) send(client);
    },
    add(response, after) {
      const [seenBoot, seen = ''] = after?.split('-') ?? [];
      const known = seenBoot === boot && /^\d{1,15}$/.test(seen) ? Math.min(Number(seen), version) : -1;
      const client: Client = {response, seen: known, waits: false};
      clients.add(client);
      response.on('close', () => remove(client));
      write(client, `retry: ${retryMs}\n\n`);
      send(client);
      heartbeat ??= setInterval(beat, heartbeatMs).unref();
    },
    end() {
      for (const client of clients) client.response.end(`event: end\n${news(client)}`);
    },
  };
}
