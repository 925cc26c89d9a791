// We and the peers in turns, so that what else the machine does hits all alike.
import fs from 'node:fs';
import {inRoot} from '../setup/places.mjs';
import {say} from '../setup/say.mjs';
import {startServer} from './limited.mjs';

/**
 * @typedef {object} Figures
 * @property {string} name `crossmap`, or the peer's
 * @property {number} [seconds] median of a run
 * @property {readonly [number, number]} [quartiles]
 * @property {number} [samples]
 * @property {number} [peakBytes]
 * @property {string} [error]
 */

/**
 * @typedef {object} Duel
 * @property {string} title
 * @property {readonly Figures[]} figures ours first
 * @property {number} [flops] of a run
 * @property {number} [bytes] that a run must move
 * @property {number} [tokens] of a run, where it trains
 */

/**
 * @typedef {object} DuelOptions
 * @property {string} device ours
 * @property {'full' | 'small'} size
 * @property {NodeJS.ProcessEnv} env of ours
 * @property {string | undefined} python with PyTorch; without it we run alone
 * @property {string} peerDevice
 * @property {number} rounds
 * @property {number} sampleSeconds
 * @property {number} deadline of all, by performance.now()
 */

// The first answer of a peer may take a compilation of its graph.
const longestAnswer = 60;

/**
 * @param {DuelOptions} options
 * @returns {Promise<{torch: object | undefined, duels: Duel[], left: string[]}>} `left`: cases for which no time was left
 */
export async function runDuels(options) {
  const cases = JSON.parse(fs.readFileSync(inRoot('bench', 'peers', 'cases.json'), 'utf8'))[options.size];
  const peer = options.python === undefined ? undefined : startPeer(options.python, options);
  /** @type {Duel[]} */
  const duels = [];
  /** @type {string[]} */
  const left = [];
  try {
    const torch = await peer?.ask({hello: true}, longestAnswer).catch((error) => ({error: error.message}));
    const isThere = torch !== undefined && !('error' in torch && torch.torch === undefined);
    for (const [index, each] of cases.entries()) {
      const title = titleOf(each);
      if (performance.now() > options.deadline) {
        left.push(title);
        continue;
      }
      say(`gpu-check: ${title}`);
      duels.push({title, ...(await runDuel(index, isThere ? peer : undefined, options))});
    }
    return {torch, duels, left};
  } finally {
    peer?.end();
  }
}

/**
 * @param {string} python
 * @param {DuelOptions} options
 */
function startPeer(python, {peerDevice, size}) {
  const command = [python, inRoot('bench', 'peers', 'serve.py'), '--device', peerDevice, '--size', size];
  return startServer(command, {...process.env, PYTHONDONTWRITEBYTECODE: '1'});
}

/**
 * @param {number} index
 * @param {import('./limited.mjs').Server | undefined} peer
 * @param {DuelOptions} options
 * @returns {Promise<Omit<Duel, 'title'>>}
 */
async function runDuel(index, peer, {device, size, env, rounds, sampleSeconds, deadline}) {
  const script = inRoot('dist', 'bench', 'gpu', 'worker.js');
  const ours = startServer(
    [process.execPath, script, '--device', device, '--size', size, '--case', String(index)],
    env,
  );
  const variants = (await peer?.ask({variants: index}, longestAnswer).catch(() => undefined))?.variants ?? [];
  const runners = [
    {name: 'crossmap', ask: () => ours.ask({seconds: sampleSeconds}, longestAnswer)},
    ...variants.map((/** @type {string} */ variant) => ({
      name: variant,
      ask: () => peer?.ask({case: index, variant, seconds: sampleSeconds}, longestAnswer),
    })),
  ];
  /** @type {Map<string, any[]>} */
  const answers = new Map(runners.map(({name}) => [name, []]));
  try {
    for (let round = 0; round < rounds && (round === 0 || performance.now() < deadline); round++) {
      for (const {name, ask} of runners) {
        const list = answers.get(name) ?? [];
        if (list.some(({error}) => error !== undefined)) continue;
        list.push(await ask().catch((/** @type {Error} */ error) => ({error: error.message})));
      }
    }
  } finally {
    ours.end();
  }
  const {flops, bytes, tokens} = answers.get('crossmap')?.[0] ?? {};
  return {
    figures: [...answers].map(([name, list]) => figuresOf(name, list)),
    ...(flops !== undefined && {flops}),
    ...(bytes !== undefined && {bytes}),
    ...(tokens !== undefined && {tokens}),
  };
}

/**
 * The samples of one side, or why there are none.
 *
 * @param {string} name
 * @param {readonly {seconds?: number, peakBytes?: number | null, error?: string}[]} answers
 * @returns {Figures}
 */
export function figuresOf(name, answers) {
  const error = answers.find((each) => each.error !== undefined)?.error;
  if (error !== undefined) return {name, error};
  const sorted = answers.flatMap(({seconds}) => seconds ?? []).sort((a, b) => a - b);
  const peaks = answers.flatMap(({peakBytes}) => peakBytes ?? []);
  return {
    name,
    seconds: quantile(sorted, 0.5),
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
    samples: sorted.length,
    ...(peaks.length > 0 && {peakBytes: Math.max(...peaks)}),
  };
}

/**
 * Linear between the two nearest samples.
 *
 * @param {readonly number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * `attention both, tokens 8192, heads 16, headDim 64, bfloat16`
 *
 * @param {Record<string, string | number>} work
 */
export function titleOf({kind, pass, dtype, ...sizes}) {
  const parts = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  return [`${kind} ${pass}`, ...parts, dtype].join(', ');
}
