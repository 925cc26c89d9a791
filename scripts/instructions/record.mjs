// bench/results/instructions.json: how many instructions each kernel takes, and what of that has changed.

/**
 * @typedef {object} KernelCount
 * @property {string} shape what it worked on
 * @property {number} instructions of one run
 */

/**
 * @typedef {object} InstructionRecord
 * @property {string} compiler as it names itself in the addon
 * @property {string} instructionSet that the kernels were compiled for
 * @property {Readonly<Record<string, KernelCount>>} kernels by name
 */

/** Of the count. Two runs differ by less than a thousandth, in what memory is asked for. */
const tolerance = 0.01;

/**
 * Where the record is no longer what is counted, whatever the direction.
 *
 * @param {InstructionRecord['kernels']} kernels
 * @param {InstructionRecord['kernels']} before
 * @returns {readonly string[]}
 */
export function changes(kernels, before) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(kernels)])].sort();
  return names.flatMap((name) => {
    const [now, old] = [kernels[name], before[name]];
    if (!old) return [`${name} is not recorded`];
    if (!now) return [`${name} is recorded and was not counted`];
    if (now.shape !== old.shape)
      return [`${name} is recorded on ${old.shape}, and was counted on ${now.shape}`];
    const change = now.instructions - old.instructions;
    if (Math.abs(change) <= tolerance * old.instructions) return [];
    const percent = `${change > 0 ? '+' : ''}${((100 * change) / old.instructions).toFixed(1)} %`;
    return [`${name}, ${now.shape}: ${old.instructions} -> ${now.instructions} instructions, ${percent}`];
  });
}

/**
 * As JSON with a line for each kernel, so that a change shows what it changed.
 *
 * @param {InstructionRecord} record
 */
export function recordText(record) {
  const text = JSON.stringify(record, undefined, 1);
  return `${text.replace(/\{[^{}]*\}/g, (count) => count.replace(/\s*\n\s*/g, ' '))}\n`;
}

/**
 * What compiled an addon: GCC and clang leave their names in the objects.
 *
 * @param {Uint8Array} addon the file's content
 */
export function compilerOf(addon) {
  const text = Buffer.from(addon).toString('latin1');
  const names = text.match(/GCC: \([^)\0]*\) [\d.]+|(?:\w+ )?clang version [^\0]+/g) ?? [];
  return [...new Set(names)].sort().join(', ') || 'unknown';
}
