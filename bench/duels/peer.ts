/** The other sides: programs that time the same work by other means. */
import {fileURLToPath} from 'node:url';
import type {Probes} from './probe.js';
import {startServer, type Question, type Server} from './server.js';
import type {WorkCase} from './work-case.js';

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

const install = {
  cpu: 'on Debian, apt-get install python3-torch libopenblas0-pthread, or name a Python with PyTorch in CROSSMAP_PYTHON',
  cuda: 'name a Python with PyTorch in CROSSMAP_PYTHON',
};

/** PyTorch, or why it is not there. */
export async function startTorch(options: PeerOptions): Promise<Peer | PeerFacts> {
  const {device, limitSeconds} = options;
  let reason = '';
  for (const python of pythons()) {
    const server = startPython(python, options);
    try {
      const facts = (await server.ask({ask: 'hello'}, limitSeconds)) as unknown as PeerFacts;
      const absent = unfairness(facts);
      if (absent === undefined) return peerOf(facts, server, limitSeconds);
      server.end();
      return {...facts, absent};
    } catch (error) {
      server.end();
      reason = `${python}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return {name: 'PyTorch', absent: `${reason}; ${install[device]}`};
}

/** The one of CROSSMAP_PYTHON comes first; the `python3` of the path need not be the system's, which has Debian's packages. */
export function pythons(): readonly string[] {
  const named = process.env['CROSSMAP_PYTHON'];
  return [...(named === undefined ? [] : [named]), '/usr/bin/python3', 'python3'];
}

function startPython(python: string, {device, threads}: PeerOptions): Server {
  const script = fileURLToPath(new URL('../../../bench/peers/serve.py', import.meta.url)); // from dist/bench/duels
  const flags = ['--device', device, ...(threads === undefined ? [] : ['--threads', String(threads)])];
  return startServer([python, script, ...flags], environment(threads));
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

function peerOf(facts: PeerFacts, server: Server, limitSeconds: number): Peer {
  const ask = async <Answer>(question: Question): Promise<Answer> =>
    (await server.ask(question, limitSeconds)) as Answer;
  return {
    facts,
    variants: async (work) =>
      (await ask<{variants: readonly string[]}>({ask: 'variants', case: work})).variants,
    check: async (work, variant) => (await ask<{probes: Probes}>({ask: 'check', case: work, variant})).probes,
    extraBytes: async (work, variant) =>
      (await ask<{extraBytes: number}>({ask: 'memory', case: work, variant})).extraBytes,
    time: async (work, variant, seconds) =>
      (await ask<{seconds: number}>({ask: 'time', case: work, variant, seconds})).seconds,
    end: () => server.end(),
  };
}
