// The steps of gpu-check: what each runs, how long it may take, and when there is nothing to run.
import {inRoot, toolScript} from '../setup/places.mjs';
import {lastLine, runLimited} from './limited.mjs';

/**
 * @typedef {object} Setting
 * @property {'cuda' | 'simt'} device
 * @property {NodeJS.ProcessEnv} env for our programs: which addon and device
 * @property {boolean} hasSanitizer
 */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {number} limitSeconds
 * @property {readonly string[]} command
 * @property {(finished: import('./limited.mjs').Finished) => Outcome} read what the program's output says
 * @property {string | undefined} skip why it is not run
 */

/**
 * @typedef {object} Outcome
 * @property {boolean} ok
 * @property {string} summary
 * @property {unknown} [details]
 */

/**
 * @typedef {object} StepResult
 * @property {string} name
 * @property {'passed' | 'failed' | 'skipped'} status
 * @property {number} seconds
 * @property {string} summary why it was skipped or failed, or what came out
 * @property {unknown} [details]
 */

/**
 * What dist/bench/gpu/duels.js tells.
 *
 * @typedef {object} Benches
 * @property {readonly {name: string, absent?: string}[]} peers
 * @property {readonly import('../../bench/support/comparison.js').Comparison[]} comparisons
 * @property {readonly string[]} left
 */

const isEmulated = (/** @type {Setting} */ {device}) => device === 'simt';

/** @param {Setting} setting @returns {readonly Step[]} */
export function stepsOf(setting) {
  const {device} = setting;
  const small = isEmulated(setting);
  const program = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
    [process.execPath, inRoot('dist', 'bench', 'gpu', `${name}.js`), '--device', device].concat(args);
  return [
    {
      name: 'device',
      limitSeconds: 30,
      command: [process.execPath, inRoot('dist', 'lib', 'cli', 'main.js'), 'info', '--json'],
      read: readDevice(device),
      skip: undefined,
    },
    {
      name: 'op tests',
      limitSeconds: small ? 300 : 120,
      // Each kind of kernel once on the emulator, whose own tests run all of them.
      command: ava(
        small
          ? ['ops/cast', 'ops/softmax', 'ops/swiglu', 'tensor/device']
          : ['ops/**/*', 'autograd/**/*', 'tensor/**/*'],
      ),
      read: readTap,
      skip: undefined,
    },
    {
      name: 'training tests',
      limitSeconds: small ? 120 : 60,
      command: ava(
        small
          ? ['train/optimizer']
          : [
              ...['optimizer', 'resume', 'train', 'graphs', 'step-runner'].map((name) => `train/${name}`),
              'nn/**/*',
              'objectives/**/*',
            ],
      ),
      read: readTap,
      skip: undefined,
    },
    ...['memcheck', 'racecheck', 'synccheck', 'initcheck'].map((tool) => ({
      name: `sanitizer ${tool}`,
      limitSeconds: 40,
      command: ['compute-sanitizer', '--tool', tool, '--error-exitcode', '9', ...program('once')],
      read: readSanitizer,
      skip: small
        ? 'needs a GPU; the emulator checks accesses, races and barriers itself'
        : setting.hasSanitizer
          ? undefined
          : 'compute-sanitizer is not here; it comes with the CUDA toolkit',
    })),
    {
      name: 'every kernel once',
      limitSeconds: small ? 300 : 60,
      command: program('once'),
      read: readCases,
      skip: undefined,
    },
    {
      name: 'determinism',
      limitSeconds: small ? 120 : 60,
      command: program('determinism', '--runs', small ? '3' : '1000'),
      read: readDeterminism,
      skip: undefined,
    },
    {
      name: 'beyond 2^31 elements',
      limitSeconds: 60,
      command: program('large', ...(small ? ['--elements', String(2 ** 14)] : [])),
      read: readNamed,
      skip: undefined,
    },
    ...Object.entries({'training run': 'auto', 'training run op by op': 'off'}).map(([name, graphs]) => ({
      name,
      limitSeconds: small ? 300 : 60,
      command: program(
        'training',
        '--graphs',
        graphs,
        '--steps',
        small ? '3' : '60',
        '--size',
        small ? 'small' : 'full',
      ),
      read: readTraining,
      skip: undefined,
    })),
  ];
}

/**
 * The last step, which takes the time that is left.
 *
 * @param {Setting} setting
 * @param {string | undefined} peerDevice
 * @param {number} seconds
 * @returns {Step}
 */
export function benchStep({device}, peerDevice, seconds) {
  const peers = peerDevice === undefined ? [] : ['--peer-device', peerDevice];
  const script = inRoot('dist', 'bench', 'gpu', 'duels.js');
  // What has begun when its time is over is ended by the limit.
  const time = ['--seconds', String(Math.max(0, seconds - 30))];
  return {
    name: 'benches',
    limitSeconds: seconds,
    command: [process.execPath, script, '--device', device, ...peers, ...time],
    read: readBenches,
    skip: undefined,
  };
}

/**
 * Runs a step within its limit and what is left of all the time.
 *
 * @param {Step} step
 * @param {Setting} setting
 * @param {number} leftSeconds
 * @returns {Promise<StepResult>}
 */
export async function runStep({name, limitSeconds, command, read, skip}, {env}, leftSeconds) {
  if (skip !== undefined) return {name, status: 'skipped', seconds: 0, summary: skip};
  if (leftSeconds <= 0) return {name, status: 'skipped', seconds: 0, summary: 'no time was left'};
  const limit = Math.min(limitSeconds, leftSeconds);
  const finished = await runLimited(command, {limitSeconds: limit, env});
  const {seconds} = finished;
  if (finished.timedOut) {
    return {name, status: 'failed', seconds, summary: `not done in ${Math.round(limit)} s`};
  }
  const {ok, summary, details} = read(finished);
  return {name, status: ok ? 'passed' : 'failed', seconds, summary, ...(details !== undefined && {details})};
}

/** @param {readonly string[]} names below dist/test, without their endings */
function ava(names) {
  const files = names.map((name) => `dist/test/${name}.test.js`);
  return [process.execPath, toolScript('ava', 'entrypoints/cli.mjs'), '--tap', ...files];
}

/**
 * @param {string} device
 * @returns {Step['read']}
 */
function readDevice(device) {
  return ({status, stdout, stderr}) => {
    if (status !== 0) return {ok: false, summary: errorLine(stderr)};
    const info = JSON.parse(stdout);
    const names = (info.addon?.devices ?? []).map((/** @type {{name: string}} */ {name}) => name);
    const ok = names.includes(device);
    const summary = ok
      ? `crossmap ${info.crossmap}, devices ${names.join(', ')}`
      : `${device} is not a device here`;
    return {ok, summary, details: info};
  };
}

/** @type {Step['read']} */
export function readTap({status, stdout, stderr}) {
  const passed = [...stdout.matchAll(/^ok \d+(?!.*# (?:SKIP|T[O]DO))/gm)].length;
  const failures = [...stdout.matchAll(/^not ok \d+ - (.*)$/gm)]
    .map(([, title = '']) => title)
    .filter((title) => !/# (?:SKIP|T[O]DO)/.test(title));
  const ok = status === 0 && failures.length === 0 && passed > 0;
  const why = ok || failures.length > 0 ? '' : `; ${errorLine(stderr) || `status ${status}`}`;
  return {
    ok,
    summary: `${passed} passed, ${failures.length} failed${why}`,
    ...(failures.length > 0 && {details: failures}),
  };
}

/** @type {Step['read']} */
export function readSanitizer({status, stdout, stderr}) {
  const output = stdout + stderr;
  const summary = [...output.matchAll(/^========= (?:ERROR|RACECHECK) SUMMARY: (.*)$/gm)].at(-1)?.[1];
  const findings = output
    .split('\n')
    .filter((line) => /^========= (?!COMPUTE-SANITIZER|ERROR SUMMARY)/.test(line));
  return {
    ok: status === 0 && summary !== undefined && summary.startsWith('0 '),
    summary: summary ?? `no summary, status ${status}: ${errorLine(stderr)}`,
    ...(findings.length > 0 && {details: findings.slice(0, 40)}),
  };
}

/** @type {Step['read']} */
function readCases(finished) {
  const {cases, failures} = lastJson(finished) ?? {};
  if (cases === undefined) return {ok: false, summary: errorLine(finished.stderr)};
  return {
    ok: failures.length === 0,
    summary: `${cases - failures.length} of ${cases} cases`,
    ...(failures.length > 0 && {details: failures}),
  };
}

/** @type {Step['read']} */
function readDeterminism(finished) {
  /** @type {{name: string, runs: number, different: number, error?: string}[] | undefined} */
  const results = lastJson(finished);
  if (results === undefined) return {ok: false, summary: errorLine(finished.stderr)};
  const bad = results.filter(({different, error}) => different > 0 || error !== undefined);
  const runs = Math.min(...results.map((each) => each.runs));
  const summary = bad.length
    ? bad
        .map(({name, runs, different, error}) => `${name}: ${error ?? `${different} of ${runs} runs differ`}`)
        .join('; ')
    : `${results.length} ops, ${runs} runs each, every bit the same`;
  return {ok: bad.length === 0, summary, details: results};
}

/** @type {Step['read']} */
function readNamed(finished) {
  /** @type {{name: string, error?: string}[] | undefined} */
  const results = lastJson(finished);
  if (results === undefined) return {ok: false, summary: errorLine(finished.stderr)};
  const bad = results.filter(({error}) => error !== undefined);
  return {
    ok: bad.length === 0,
    summary: bad.length
      ? bad.map(({name, error}) => `${name}: ${error}`).join('; ')
      : results.map(({name}) => name).join(', '),
    details: results,
  };
}

/** @type {Step['read']} */
function readTraining(finished) {
  const result = lastJson(finished);
  if (result === undefined) return {ok: false, summary: errorLine(finished.stderr)};
  const {steps, firstLoss, lastLoss, tokensPerSecond, peakBytes} = result;
  return {
    ok: finished.status === 0 && Number.isFinite(lastLoss),
    summary:
      `${steps} steps, loss ${firstLoss?.toFixed(3)} to ${lastLoss?.toFixed(3)}, ` +
      `${Math.round(tokensPerSecond)} tokens/s, peak ${(peakBytes / 1e6).toFixed(1)} MB`,
    details: result,
  };
}

/** @type {Step['read']} */
export function readBenches(finished) {
  /** @type {Benches | undefined} */
  const found = lastJson(finished);
  if (found === undefined) return {ok: false, summary: errorLine(finished.stderr)};
  const {peers, comparisons, left} = found;
  const broken = comparisons.flatMap(({title, sides: [ours]}) =>
    ours?.error === undefined ? [] : `${title}: ${ours.error}`,
  );
  const summary = [
    `${comparisons.length} cases`,
    ...(peers.length ? peers : [{name: 'a peer', absent: 'not asked for'}]).map(
      ({name, absent}) => `with${absent === undefined ? '' : 'out'} ${name}${absent ? ` (${absent})` : ''}`,
    ),
    ...left.map((title) => `no time for ${title}`),
    ...broken,
  ].join('; ');
  return {ok: broken.length === 0, summary, details: found};
}

/**
 * The line that names the error; a stack and Node's version follow it.
 *
 * @param {string} stderr
 */
function errorLine(stderr) {
  const named = stderr.split('\n').find((line) => /^(?:\w*Error\b|\[?error\b)/i.test(line.trim()));
  return named?.trim() ?? lastLine(stderr);
}

/**
 * @param {import('./limited.mjs').Finished} finished
 * @returns {any} nothing where the last line is no JSON
 */
function lastJson({stdout}) {
  try {
    return JSON.parse(lastLine(stdout));
  } catch {
    return undefined;
  }
}
