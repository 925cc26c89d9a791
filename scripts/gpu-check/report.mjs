// What gpu-check found, as Markdown.

/**
 * @typedef {object} Report
 * @property {string} version of crossmap
 * @property {string} date
 * @property {string} node
 * @property {'cuda' | 'simt'} device
 * @property {import('./gpus.mjs').Gpu | undefined} gpu the first; none on the emulator
 * @property {number} gpuCount
 * @property {readonly import('./steps.mjs').StepResult[]} steps
 * @property {readonly object[]} peers those that are not here among them
 * @property {readonly import('../../bench/support/comparison.js').Comparison[]} benches
 */

/** @param {Report} report */
export function markdownOf(report) {
  const {version, date, gpu, device, steps, benches} = report;
  const where = gpu
    ? `${gpu.name}, driver ${gpu.driver}`
    : 'the emulator: times mean nothing, nothing here is measured on a GPU';
  return [
    `# crossmap ${version} on ${where}`,
    '',
    `${date}, device ${device}, Node ${report.node}`,
    '',
    ...table(
      ['step', 'result', 'seconds', ''],
      steps.map(({name, status, seconds, summary}) => [name, status, seconds.toFixed(1), summary]),
    ),
    '',
    'Wall times of runs enqueued in a row, medians of rounds in which all took turns.',
    '',
    ...table(
      ['bench', 'who', 'median', 'quartiles', 'rate', 'of peak', 'tokens/s', 'extra memory', 'crossmap is'],
      benches.flatMap((duel) => rowsOf(duel, gpu)),
    ),
    '',
  ].join('\n');
}

/**
 * @param {import('../../bench/support/comparison.js').Comparison} comparison
 * @param {import('./gpus.mjs').Gpu | undefined} gpu
 */
function rowsOf({title, sides, flops, bytes, tokens}, gpu) {
  const ours = sides.find(({name}) => name === 'crossmap')?.median;
  return sides.map(({name, median, lowerQuartile = NaN, upperQuartile = NaN, extraBytes, error}) => {
    if (median === undefined) return [title, name, error ?? 'not run', '', '', '', '', '', ''];
    const peak = flops !== undefined && gpu?.flopsPerSecond;
    return [
      title,
      name,
      time(median),
      `${time(lowerQuartile)} to ${time(upperQuartile)}`,
      flops !== undefined
        ? `${(flops / median / 1e12).toPrecision(3)} TFLOP/s`
        : bytes !== undefined
          ? `${(bytes / median / 1e12).toPrecision(3)} TB/s`
          : '',
      peak ? `${((100 * flops) / median / peak).toFixed(1)} %` : '',
      tokens === undefined ? '' : String(Math.round(tokens / median)),
      extraBytes === undefined ? '' : `${(extraBytes / 1e9).toFixed(2)} GB`,
      name === 'crossmap' || ours === undefined ? '' : `${(median / ours).toFixed(2)}x as fast`,
    ];
  });
}

/** @param {number} seconds */
function time(seconds) {
  return seconds < 1e-3 ? `${(seconds * 1e6).toFixed(1)} µs` : `${(seconds * 1e3).toFixed(3)} ms`;
}

/**
 * @param {readonly string[]} heading
 * @param {readonly (readonly string[])[]} rows
 */
function table(heading, rows) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)];
}
