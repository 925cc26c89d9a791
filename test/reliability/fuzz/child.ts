/**
 * Run as a child that may crash: calls functions `from` to `to` of a seed, and writes each to the file `trace` before it calls it.
 * What came of the calls goes to standard output, one JSON object a line; see `Line` of report.ts.
 */
import {openSync, ftruncateSync, writeSync} from 'node:fs';
import {inspect, types} from 'node:util';
import {z} from 'zod';
import {backward, requireGradient, requiresGradient} from '../../../lib/autograd/index.js';
import {CrossmapError, isErrorCode} from '../../../lib/errors.js';
import {native, type NativeGraph, type NativeTensor} from '../../../lib/native.js';
import * as ops from '../../../lib/ops/index.js';
import {Tensor, isFloatDType, type Device} from '../../../lib/tensor/index.js';
import {createRandom, type Random} from '../random.js';
import {handleCall} from './handle-calls.js';
import {HostileError, isHandle, isPlain, mutate, type Target} from './hostile.js';
import {createMake} from './make.js';
import {nativeCalls} from './native-calls.js';
import {libraryCalls, libraryFunctions, withTensors} from './op-calls.js';
import type {Counts} from './report.js';

const jobSchema = z.object({
  seed: z.int(),
  from: z.int(),
  to: z.int(),
  trace: z.string(),
  device: z.enum(['cpu', 'simt', 'cuda']),
  isSanitized: z.boolean(),
});

const job = jobSchema.parse(JSON.parse(process.argv[2] ?? ''));
const device: Device = job.device;

/** Share of the calls that are of native functions; of the rest, most are of the library and some of the handles themselves. */
const nativeShare = 0.6;
const handleShare = 0.05;

/** Share of the calls that are spoiled. */
const spoiledShare = 0.6;

/** Functions that take a while, or all cores: one call in so many that come to them is made. */
const rare: Readonly<Record<string, number>> = {runPeakLoops: 50, setThreads: 20, plans: 20, emptyCache: 5};

type AnyFunction = (...args: unknown[]) => unknown;

interface Call {
  readonly name: string;
  readonly run: AnyFunction;
  readonly args: unknown[];
  readonly isSpoiled: boolean;
  free(): void;
}

const counts: Counts = {accepted: 0, refused: 0, hostile: 0, faults: 0, whole: 0, byName: {}};
const trace = openSync(job.trace, 'w');
const target: Target = {device, isSanitized: job.isSanitized, isNative: true, wrap: (handle) => handle};
const libraryTarget: Target = {...target, isNative: false, wrap: (handle) => Tensor.untracked(handle)};

/** The calls of a number are the same in every process. */
function chooseCall(number: number): Call {
  const random = createRandom(Math.imul(job.seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const kind = random.uniform();
  if (kind < handleShare) return {...handleCall(random, target), isSpoiled: true, free: () => undefined};
  return kind < handleShare + nativeShare ? chooseNative(random) : chooseLibrary(random);
}

function chooseNative(random: Random): Call {
  const names = Object.keys(nativeCalls) as (keyof typeof nativeCalls)[];
  let name = random.pick(names);
  while (rare[name] !== undefined && !random.chance(1 / rare[name]!)) name = random.pick(names);
  const {make, free} = createMake(random, device);
  const args: unknown[] = [...nativeCalls[name](make)];
  return {name, run: native[name] as AnyFunction, args, isSpoiled: spoil(args, random, target), free};
}

function chooseLibrary(random: Random): Call {
  const name = random.pick(Object.keys(libraryCalls) as (keyof typeof libraryCalls)[]);
  const {make, free} = createMake(random, device);
  const args = withTensors(libraryCalls[name](make), libraryTarget.wrap) as unknown[];
  const isSpoiled = spoil(args, random, libraryTarget);
  const withBackward = random.chance(0.5);
  const original = libraryFunctions[name] as AnyFunction;
  const run: AnyFunction = (...args) => (withBackward ? callAndGoBack(original, args) : original(...args));
  return {name: `library ${name}`, run, args, isSpoiled, free};
}

function spoil(args: unknown[], random: Random, target: Target): boolean {
  const isSpoiled = random.chance(spoiledShare);
  if (isSpoiled) mutate(args, random, target);
  return isSpoiled;
}

/** Calls an op on tensors that require gradients, and computes them. */
function callAndGoBack(run: AnyFunction, args: unknown[]): unknown {
  for (const each of args)
    if (each instanceof Tensor && !each.isDisposed && isFloatDType(each.dtype)) requireGradient(each);
  const result = run(...args);
  if (result instanceof Tensor && requiresGradient(result)) backward(ops.sum(result));
  return result;
}

/** State that a call leaves, which would spoil all that follow. */
function settleState(name: string, result: unknown): void {
  if (name === 'leaveOutKernels') native.leaveOutKernels(false);
  if (name !== 'beginCapture') return;
  const graph: NativeGraph = native.endCapture(device);
  native.replay(graph);
  graph.dispose();
  void result;
}

/** How a call may end: with a result, an error that has a code, what a hostile getter threw, or a TypeError of JavaScript. */
function judge(error: unknown): 'refused' | 'hostile' | undefined {
  if (error instanceof HostileError) return 'hostile';
  if (error instanceof CrossmapError) return error.code === 'ERR_INTERNAL' ? undefined : 'refused';
  if (error instanceof TypeError) return 'refused';
  // Handles are the addon's own objects: their errors have codes, and no class of ours.
  const hasCode = error instanceof Error && 'code' in error && isErrorCode(error.code);
  return hasCode && error.code !== 'ERR_INTERNAL' ? 'refused' : undefined;
}

async function makeCall(number: number): Promise<void> {
  const {name, run, args, isSpoiled, free} = chooseCall(number);
  note(number, name, args);
  const count = (counts.byName[name] ??= {accepted: 0, refused: 0});
  if (!isSpoiled) counts.whole++;
  try {
    const result = run(...args);
    const settled: unknown = result instanceof Promise ? await result : result;
    counts.accepted++;
    count.accepted++;
    settleState(name, settled);
    dispose(settled);
  } catch (error) {
    const kind = judge(error);
    if (kind !== undefined) counts[kind]++;
    count.refused++;
    if (kind === undefined) tell({finding: describeError(error), number, name, args: describe(args)});
    else if (!isSpoiled && !mayFail(name))
      tell({
        finding: `a valid call was refused: ${describeError(error)}`,
        number,
        name,
        args: describe(args),
      });
  } finally {
    free();
  }
}

/** What a device without recording refuses, and calls that depend on what was called before. */
function mayFail(name: string): boolean {
  return /^(beginCapture|endCapture|replay|profileLeave|library (backward|gradient|data|floats|item)|copyTo|copyToNow|synchronize)$/.test(
    name,
  );
}

function dispose(result: unknown): void {
  if (result instanceof Tensor || isHandle(result)) return result.dispose();
  if (typeof result !== 'object' || result === null || ArrayBuffer.isView(result)) return;
  for (const each of Object.values(result) as unknown[]) if (isHandle(each)) each.dispose();
}

/** Waits for the ops so far; their faults (a token id out of range) have codes too. */
async function synchronize(number: number): Promise<void> {
  try {
    await native.synchronize(device);
  } catch (error) {
    if (judge(error) === 'refused') counts.faults++;
    else tell({finding: describeError(error), number, name: 'synchronize', args: ''});
  }
}

let traced = 0;

function note(number: number, name: string, args: unknown[]): void {
  if (traced++ % 100 === 0) ftruncateSync(trace);
  writeSync(trace, `${number} ${name}(${describe(args)})\n`, traced % 100 === 1 ? 0 : null);
}

function describe(args: unknown[]): string {
  const shown = args.map((each) =>
    inspect(shownOf(each, 0), {
      depth: 4,
      breakLength: Infinity,
      showProxy: true,
      maxArrayLength: 12,
      maxStringLength: 40,
    }),
  );
  return shown.join(', ').slice(0, 2000);
}

/** Tensors by dtype and shape, without calling a getter. */
function shownOf(value: unknown, depth: number): unknown {
  if (types.isProxy(value)) return 'a Proxy';
  if (value instanceof Tensor) return tensorText(value);
  if (isHandle(value)) return `handle ${tensorText(value)}`;
  if (depth > 3 || typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${sizeOf(value)}`;
  if (Array.isArray(value) && value.length > 50) return `array of ${value.length}`;
  const isOpen = Array.isArray(value) || isPlain(value);
  if (!isOpen) return value;
  const entries = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(
    ([name]) => name !== 'length',
  );
  const shown = entries.map(([name, {value, get}]) => [name, get ? '(a getter)' : shownOf(value, depth + 1)]);
  return Array.isArray(value) ? shown.map(([, each]) => each) : Object.fromEntries(shown);
}

/** A DataView that has lost its memory refuses the question. */
function sizeOf(view: ArrayBufferView): string {
  try {
    return `${view.byteLength} bytes`;
  } catch {
    return 'no memory';
  }
}

/** What inherits from a handle's prototype, and is none, refuses the questions. */
function tensorText(tensor: Tensor | NativeTensor): string {
  try {
    return tensor.isDisposed ? 'tensor (disposed)' : `tensor ${tensor.dtype} [${tensor.shape.join()}]`;
  } catch {
    return 'no tensor';
  }
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `not an error was thrown: ${inspect(error)}`;
  const code = 'code' in error ? `${String(error.code)} ` : '';
  return `${error.constructor.name} ${code}${error.message.slice(0, 300)}`;
}

function tell(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

process.on('unhandledRejection', (error) => {
  tell({finding: `unhandled rejection: ${describeError(error)}`, number: -1, name: '', args: ''});
});

for (let number = job.from; number < job.to; number++) {
  await makeCall(number);
  if (number % 8 === 0) await synchronize(number);
}
await synchronize(job.to);
tell({counts});
