/**
 * Calls the functions of the addon and of the library at random, valid ones and spoiled ones, in children that may crash.
 * `npm run reliability -- fuzz` runs it; a crash or a finding ends it with status 1 and is told with how to see it again.
 */
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {once} from 'node:events';
import {addCounts, lineSchema, type Counts, type Finding} from './report.js';

const {values: flags} = parseArgs({
  options: {
    calls: {type: 'string', default: '100000'},
    seed: {type: 'string', default: '1'},
    from: {type: 'string', default: '0'},
    device: {type: 'string', default: 'cpu'},
  },
});

const seed = Number(flags.seed);
const first = Number(flags.from);
const end = first + Number(flags.calls);
const isSanitized = (process.env['LD_PRELOAD'] ?? '').includes('asan');

/** Calls of a child: what it leaves to the garbage collector, and what it profiles, goes with it. */
const callsOfChild = 2500;

/** A child that hangs is a finding. */
const timeoutMs = 10 * 60_000;

/** Crashes after which the rest is not tried. */
const mostCrashes = 10;

/**
 * Address space of a child without sanitizers, in KiB: a size that a machine might grant is refused as one that it cannot. The emulated GPU
 * needs more of it, and refuses such sizes by itself.
 */
const roomKiB = 16 * 2 ** 20;

interface Ended {
  readonly counts: Counts | undefined;
  readonly findings: readonly Finding[];
  /** How a crashed child ended, and the last lines of what it traced. */
  readonly crash:
    {readonly how: string; readonly lastCalls: readonly string[]; readonly errors: string} | undefined;
}

async function runChild(from: number, to: number): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'crossmap-fuzz-'));
  const trace = join(folder, 'trace');
  try {
    const script = fileURLToPath(new URL('./child.js', import.meta.url));
    const job = JSON.stringify({seed, from, to, trace, device: flags.device, isSanitized});
    const limit = isSanitized || flags.device !== 'cpu' ? '' : `ulimit -v ${roomKiB}; `;
    const shell = ['-c', `${limit}exec "$@"`, 'sh', process.execPath, script, job];
    const child = spawn('/bin/sh', shell, {stdio: ['ignore', 'pipe', 'pipe'], env: environment()});
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const exit = once(child, 'close');
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [code, signal] = (await exit) as [number | null, string | null];
    clearTimeout(timer);
    const lines = output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => lineSchema.parse(JSON.parse(line)));
    const findings = lines.filter((line) => 'finding' in line);
    const counts = lines.find((line) => 'counts' in line)?.counts;
    if (code === 0 && counts !== undefined) return {counts, findings, crash: undefined};
    const lastCalls = (existsSync(trace) ? readFileSync(trace, 'utf8') : '').trimEnd().split('\n').slice(-5);
    return {counts, findings, crash: {how: `code ${code}, signal ${signal}`, lastCalls, errors}};
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Under sanitizers a large size is refused as it is where there is no memory for it. */
function environment(): NodeJS.ProcessEnv {
  const options = process.env['ASAN_OPTIONS'];
  if (!isSanitized) return process.env;
  return {...process.env, ASAN_OPTIONS: `${options ?? ''}:max_allocation_size_mb=256`};
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tellAgain(number: number): string {
  return `npm run reliability -- fuzz --seed ${seed} --from ${number} --calls 1 --device ${flags.device}`;
}

const total: Counts = {accepted: 0, refused: 0, hostile: 0, faults: 0, whole: 0, byName: {}};
const findings: Finding[] = [];
let crashes = 0;

say(
  `fuzz: seed ${seed}, calls ${first} to ${end}, device ${flags.device}${isSanitized ? ', under sanitizers' : ''}`,
);
let at = first;
while (at < end && crashes < mostCrashes) {
  const to = Math.min(end, at + callsOfChild);
  const ended = await runChild(at, to);
  findings.push(...ended.findings);
  if (ended.counts) addCounts(total, ended.counts);
  if (ended.crash === undefined) {
    at = to;
    continue;
  }
  crashes++;
  const {how, lastCalls, errors} = ended.crash;
  const last = Number(/^\d+/.exec(lastCalls.at(-1) ?? '')?.[0] ?? at);
  say(
    `CRASH of the child of calls ${at} to ${to}: ${how}\n  ${lastCalls.join('\n  ')}\n${errors.split('\n').slice(0, 60).join('\n')}`,
  );
  say(`  again: ${tellAgain(last)}; with all before it: --from ${at} --calls ${last + 1 - at}`);
  at = last + 1;
}
for (const {finding, number, name, args} of findings)
  say(`FINDING ${finding}\n  ${number} ${name}(${args})\n  again: ${tellAgain(number)}`);
const never = Object.entries(total.byName)
  .filter(([, {accepted}]) => accepted === 0)
  .map(([name]) => name);
const made = total.accepted + total.refused + total.hostile;
const percent = (part: number): string => `${((100 * part) / Math.max(1, made)).toFixed(1)} %`;
say(
  `fuzz: ${made} calls of ${Object.keys(total.byName).length} functions; ${percent(total.accepted)} gave a result (${percent(total.whole)} were not spoiled), ` +
    `${percent(total.refused)} were refused, ${percent(total.hostile)} ended in the caller's own error; ${total.faults} late faults`,
);
if (never.length > 0) say(`fuzz: never accepted: ${never.join(', ')}`);
say(`fuzz: ${crashes} crashes, ${findings.length} findings`);
process.exitCode = crashes + findings.length === 0 ? 0 : 1;
