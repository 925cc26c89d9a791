/**
 * The other side of a duel, in Node: a line of JSON in, a line of JSON out. The questions are those of serve.py.
 *
 * {"ask": "hello"}                                                 -> {"name": "onnxruntime-node", "version": ..., "threads": 2}
 * {"ask": "variants", "case": {...}}                               -> {"variants": ["MatMul", ...]}
 * {"ask": "check", "case": {...}, "variant": "..."}                -> {"probes": {"y": [norm, product], ...}}
 * {"ask": "memory", "case": {...}, "variant": "..."}               -> {"extraBytes": ...} of the next run
 * {"ask": "time", "case": {...}, "variant": "...", "seconds": 0.2} -> {"seconds": ..., "runs": ...}
 *
 * or {"error": "..."}. Times are wall times of runs in a row, each of them waited for.
 */
import {createInterface} from 'node:readline';
import {parseArgs} from 'node:util';
import {probeOf} from '../duels/probe.js';
import type {WorkCase} from '../duels/work-case.js';
import {residentPeak, resetResidentPeak} from '../support/resident.js';

/** A library beside which we are measured. */
export interface PeerLibrary {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  /** Names of its ways to do the work; none where it has no such op. */
  readonly variants: (work: WorkCase) => readonly string[];
  /** Makes the inputs: numbers that our side makes as well, from the same seeds. */
  readonly prepare: (work: WorkCase, variant: string) => Promise<PeerWork> | PeerWork;
}

/** A case as a library has it. */
export interface PeerWork {
  /** One run: done when it returns, or when its promise resolves. */
  readonly run: () => unknown;
  /** A run whose results are looked at, in our order of axes. The first: some runs go on where the one before stopped. */
  readonly results: () => Promise<Readonly<Record<string, Float32Array>>>;
  readonly dispose: () => unknown;
}

interface Request {
  readonly ask: string;
  readonly case: WorkCase;
  readonly variant: string;
  readonly seconds: number;
}

type Answers = Readonly<Record<string, (request: Request) => object | Promise<object>>>;

/**
 * Answers until its input ends.
 *
 * @param open loads the library; what it throws answers every question
 */
export async function serve(
  open: (threads: number | undefined) => Promise<PeerLibrary> | PeerLibrary,
): Promise<void> {
  const {values: flags} = parseArgs({options: {threads: {type: 'string'}}});
  console.log = console.error; // answers alone go to standard output
  const opened = Promise.resolve(flags.threads)
    .then((threads) => open(threads === undefined ? undefined : Number(threads)))
    .then(answersOf);
  opened.catch(() => {}); // the first question tells
  for await (const line of createInterface({input: process.stdin})) {
    const request = JSON.parse(line) as Request;
    const answer = opened.then((answers) => answers[request.ask]?.(request) ?? unknownQuestion(request));
    process.stdout.write(`${JSON.stringify(await answer.catch(errorOf))}\n`);
  }
}

function unknownQuestion({ask}: Request): object {
  return {error: `${ask} is no question`};
}

function errorOf(error: unknown): object {
  return {error: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)};
}

function answersOf(library: PeerLibrary): Answers {
  const {name, version, threads} = library;
  const prepared = oneAtATime(library);
  return {
    hello: () => ({name, version, device: 'cpu', threads}),
    variants: ({case: work}) => ({variants: library.variants(work)}),
    async check({case: work, variant}) {
      const results = await (await prepared(work, variant, {anew: true})).results();
      return {
        probes: Object.fromEntries(Object.entries(results).map(([key, values]) => [key, probeOf(values)])),
      };
    },
    memory: async ({case: work, variant}) => extraMemory(await prepared(work, variant)),
    time: async ({case: work, variant, seconds}) => timed(await prepared(work, variant), seconds),
  };
}

/** Holds the inputs of one case and variant at a time, so that memory is that case's. */
function oneAtATime(library: PeerLibrary) {
  let held: {readonly key: string; readonly work: PeerWork} | undefined;
  return async (work: WorkCase, variant: string, {anew = false} = {}): Promise<PeerWork> => {
    const key = JSON.stringify([work, variant]);
    if (held !== undefined && held.key === key && !anew) return held.work;
    await held?.work.dispose();
    held = undefined;
    if (!library.variants(work).includes(variant))
      throw new Error(`${variant} is no variant of ${work.kind} here`);
    held = {key, work: await library.prepare(work, variant)};
    return held.work;
  };
}

/** Most bytes that a run holds besides what is there before it. */
async function extraMemory({run}: PeerWork): Promise<object> {
  globalThis.gc?.();
  const before = resetResidentPeak();
  await run();
  const peak = residentPeak();
  if (before === undefined || peak === undefined) throw new Error('the system does not tell its memory');
  return {extraBytes: peak - before};
}

async function timed({run}: PeerWork, seconds: number): Promise<{seconds: number; runs: number}> {
  const once = await timeOf(run, 1);
  const runs = Math.max(1, Math.ceil(seconds / once));
  return {seconds: runs === 1 ? once : await timeOf(run, runs), runs};
}

async function timeOf(run: () => unknown, runs: number): Promise<number> {
  const start = performance.now();
  for (let each = 0; each < runs; each++) await run();
  return (performance.now() - start) / 1000 / runs;
}
