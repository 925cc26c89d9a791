/** The live page of a run: events in, a page on this machine out. */
import type {Server} from 'node:http';
import type {Config} from '../config/index.js';
import type {DataProgress} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import type {TrainEvent} from '../train/index.js';
import {runFolder} from '../train/run-folder.js';
import {createFeed} from './feed.js';
import {createLiveRun} from './live-run.js';
import {tabTitle} from './now.js';
import {createPartMaker, livePage} from './page.js';
import {createSchedule} from './schedule.js';
import {portOf, startServer} from './server.js';
import {keepToken, pageToken} from './token.js';

/** How a page is served. */
export interface ServeRunOptions {
  /** Port on 127.0.0.1, 1 to 65535, or 0 for any free one. Default: the first free one from 6120. */
  readonly port?: number;
  /** Whether the run starts anew: what an earlier one left is then not shown. Default false. */
  readonly fresh?: boolean;
  /** Told of what goes wrong with the page, once for each message; the run is not troubled. Default: nobody. */
  readonly onTrouble?: (message: string) => void;
}

/** The page of a run that is being served. None of its methods throws. */
export interface RunPage {
  /** Where it is, on this machine; whoever has the address may see the page. */
  readonly url: string;
  /** Takes an event of `train`. */
  readonly note: (event: TrainEvent) => void;
  /** Takes news of the preparation of data: the `onDataProgress` of `train`. */
  readonly noteData: (progress: DataProgress) => void;
  /** Shows that the run failed, and why. */
  readonly fail: (error: unknown) => void;
  /**
   * Shows that the run is over, to those who have the page open, and stops the server.
   *
   * @param options.report file of the report, which the page then names
   */
  readonly close: (options?: {readonly report?: string | undefined}) => Promise<void>;
}

/** How long clients may take to get the last state. */
const farewellMs = 1000;

/**
 * Serves a page that follows a run: curves, evaluations, translations, what is left. It begins with what `metrics.jsonl` in the
 * run's folder tells of earlier parts of it. The server listens on 127.0.0.1 alone, answers only requests with the random token of
 * the address, and keeps no process alive. The page of a run of any length takes bounded memory, and is made only while somebody
 * has it open.
 *
 * @param config of the run, as given to `train`
 * @throws ERR_ARGUMENT for a number that is no port; ERR_IO where the port is taken
 */
export async function serveRun(
  config: Config,
  {port, fresh = false, onTrouble = () => undefined}: ServeRunOptions = {},
): Promise<RunPage> {
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `serveRun: port must be a whole number from 0 to 65535; got ${port}`,
    );
  const told = new Set<string>();
  const trouble = (error: unknown): void => {
    const message = `the live page: ${messageOf(error)}`;
    if (!told.has(message)) onTrouble(message);
    told.add(message);
  };
  const run = createLiveRun(config);
  const feed = createFeed();
  const partsOf = createPartMaker();
  const schedule = createSchedule(() => feed.publish(partsOf(run.now())), trouble);
  const token = await pageToken(config.output);
  const server = await startServer(
    {
      token,
      page(nonce) {
        schedule.catchUp();
        return livePage({title: tabTitle(run.now()), parts: feed.parts, eventId: feed.eventId, nonce});
      },
      follow(response, after) {
        schedule.catchUp();
        feed.add(response, after);
      },
      onTrouble: trouble,
    },
    port,
  );
  await keepToken(config.output, token);
  const news = (change: () => void): void => {
    try {
      change();
    } catch (error) {
      trouble(error);
    }
    schedule.note({isSeen: feed.clients > 0});
  };
  const reading = fresh ? run.skipEarlier() : run.readEarlier(runFolder(config.output).metrics);
  const isRead = reading.catch(trouble).then(() => news(() => undefined));
  return {
    url: `http://127.0.0.1:${portOf(server)}/${token}/`,
    note: (event) => news(() => run.note(event)),
    noteData: (progress) => news(() => run.noteData(progress)),
    fail: (error) => news(() => run.fail(messageOf(error))),
    async close({report} = {}) {
      await isRead;
      news(() => run.finish(report));
      schedule.catchUp();
      schedule.stop();
      feed.end();
      await stopServer(server);
    },
  };
}

/** Clients that do not take the last state in time go without it. */
async function stopServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), farewellMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function messageOf(error: unknown): string {
  if (error instanceof CrossmapError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
