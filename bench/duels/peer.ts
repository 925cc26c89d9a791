/** The other sides: programs that time the same work by other means. */
import type {Probes} from './probe.js';
import {startServer, type Question, type Server} from './server.js';
import type {WorkCase} from './work-case.js';

/** A program that may be there: see programs.ts. */
export interface PeerProgram {
  readonly name: string;
  /** Ways to start it; the first that answers counts. */
  readonly commands: (options: PeerOptions) => readonly (readonly string[])[];
  /** How to get it. */
  readonly install: (device: PeerOptions['device']) => string;
  /** That it can use; default: any number. */
  readonly mostThreads?: number;
  /**
   * Whether it gives no memory back between runs, so that only a process that has not run yet shows what a run needs; default: false.
   */
  readonly keepsMemory?: boolean;
}

/** What a peer says of itself. */
export interface PeerFacts {
  readonly name: string;
  readonly version?: string;
  readonly device?: string;
  readonly threads?: number;
  /** The library of its matrix products; null where it has its own. */
  readonly blas?: {readonly name: string; readonly file: string} | null;
  readonly onednn?: boolean;
  /** Why it is not compared, and what to do about it. */
  readonly absent?: string;
}

/** A peer that runs. */
export interface Peer {
  readonly facts: PeerFacts;
  readonly variants: (work: WorkCase) => Promise<readonly string[]>;
  readonly check: (work: WorkCase, variant: string) => Promise<Probes>;
  readonly extraBytes: (work: WorkCase, variant: string) => Promise<number>;
  readonly time: (work: WorkCase, variant: string, seconds: number) => Promise<number>;
  readonly end: () => void;
}

/** How a peer is started. */
export interface PeerOptions {
  readonly device: 'cpu' | 'cuda';
  readonly threads: number | undefined;
  readonly limitSeconds: number;
}

/** The peers that are there, and what is known of all: of those that are not, why. */
export interface Peers {
  readonly running: readonly Peer[];
  readonly facts: readonly PeerFacts[];
}

/** Starts one after another, so that none is slow to answer because of the next. */
export async function startPeers(programs: readonly PeerProgram[], options: PeerOptions): Promise<Peers> {
  const running: Peer[] = [];
  const facts: PeerFacts[] = [];
  for (const program of programs) {
    const peer = await startPeer(program, options);
    const isThere = 'facts' in peer;
    if (isThere) running.push(peer);
    facts.push(isThere ? peer.facts : peer);
  }
  return {running, facts};
}

/** A peer, or why it is not there. */
export async function startPeer(program: PeerProgram, options: PeerOptions): Promise<Peer | PeerFacts> {
  const {name, commands, install, mostThreads = Infinity} = program;
  const {device, threads = 1, limitSeconds} = options;
  if (threads > mostThreads) return {name, absent: `on ${threads} threads: it can use ${mostThreads}`};
  const ways = commands(options);
  let reason = '';
  for (const command of ways) {
    const start = (): Server => startServer(command, environment(options.threads));
    const server = start();
    try {
      const facts = (await server.ask({ask: 'hello'}, limitSeconds)) as unknown as PeerFacts;
      const absent = unfairness(facts);
      if (absent === undefined) return peerOf(program, {facts, server, start, limitSeconds});
      server.end();
      return {...facts, absent};
    } catch (error) {
      server.end();
      const message = error instanceof Error ? error.message : String(error);
      reason = ways.length > 1 ? `${command[0]}: ${message}` : message;
    }
  }
  return {name, absent: `${reason}; ${install(device)}`};
}

/** Why a comparison would say nothing about the peer. */
export function unfairness({blas}: PeerFacts): string | undefined {
  if (blas?.name !== 'reference') return undefined;
  return `its matrix products run on the reference BLAS (${blas.file}), ten times slower than its own: on Debian, apt-get install libopenblas0-pthread`;
}

/** `torch.set_num_threads` does not reach the threads of the BLAS. */
function environment(threads: number | undefined): NodeJS.ProcessEnv {
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'BLIS_NUM_THREADS'];
  const counts =
    threads === undefined ? {} : Object.fromEntries(names.map((name) => [name, String(threads)]));
  return {...process.env, ...counts, PYTHONDONTWRITEBYTECODE: '1'};
}

interface Started {
  readonly facts: PeerFacts;
  readonly server: Server;
  /** Starts another one. */
  readonly start: () => Server;
  readonly limitSeconds: number;
}

function peerOf({keepsMemory = false}: PeerProgram, {facts, server, start, limitSeconds}: Started): Peer {
  const ask = async <Answer>(question: Question, asked = server): Promise<Answer> =>
    (await asked.ask(question, limitSeconds)) as Answer;
  return {
    facts,
    variants: async (work) =>
      (await ask<{variants: readonly string[]}>({ask: 'variants', case: work})).variants,
    check: async (work, variant) => (await ask<{probes: Probes}>({ask: 'check', case: work, variant})).probes,
    async extraBytes(work, variant) {
      const asked = keepsMemory ? start() : server;
      try {
        return (await ask<{extraBytes: number}>({ask: 'memory', case: work, variant}, asked)).extraBytes;
      } finally {
        if (keepsMemory) asked.end();
      }
    },
    time: async (work, variant, seconds) =>
      (await ask<{seconds: number}>({ask: 'time', case: work, variant, seconds})).seconds,
    end: () => server.end(),
  };
}
