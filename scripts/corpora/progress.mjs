// How far long work is: all the time on the last line of a terminal, elsewhere a line now and then.
import {say, showProgress, showsProgress} from '../setup/say.mjs';

/** What work is counted in. */
const units = {MB: 1e6, languages: 1, corpora: 1};

/** Between two states on a terminal. */
const refreshMs = 200;

/** Between two lines of a log: few, and nobody takes the work for dead. */
const lineMs = 20_000;

/**
 * Does work and shows how much of it is done.
 *
 * @template T
 * @param {{name: string, total?: number, unit: keyof typeof units}} job `total` in bytes, or a number, where it is known
 * @param {(at: (done: number) => void) => Promise<T>} work calls `at` as often as it likes
 * @returns {Promise<T>}
 */
export async function withProgress({name, total, unit}, work) {
  const start = performance.now();
  let shown = showsProgress ? -Infinity : start;
  const at = (/** @type {number} */ done) => {
    const now = performance.now();
    if (now - shown < (showsProgress ? refreshMs : lineMs)) return;
    shown = now;
    const text = `${name}: ${stateOf({done, total, unit, ms: now - start})}`;
    if (showsProgress) showProgress(text);
    else say(text);
  };
  at(0);
  try {
    return await work(at);
  } finally {
    showProgress('');
  }
}

/**
 * Calls `look` again and again until `work` has ended.
 *
 * @template T
 * @param {Promise<T>} work
 * @param {() => void} look
 * @returns {Promise<T>}
 */
export async function watch(work, look) {
  const timer = setInterval(look, refreshMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/**
 * What is done, of how much, and the time that the rest takes at the same pace.
 *
 * @param {{done: number, total: number | undefined, unit: keyof typeof units, ms: number}} state `ms` that it took so far
 */
export function stateOf({done, total, unit, ms}) {
  const amount = (/** @type {number} */ count) => Math.round(count / units[unit]);
  if (total === undefined) return `${amount(done)} ${unit}`;
  const share = `${amount(done)} of ${amount(total)} ${unit}`;
  return done > 0 ? `${share}, ${duration(((total - done) / done) * ms)} left` : share;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
