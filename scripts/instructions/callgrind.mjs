// What callgrind writes: instructions by function, and by call from one function to another.

/**
 * @typedef {object} Called
 * @property {string} name of the function that was called
 * @property {number} calls
 * @property {number} instructions of all calls together, with what they call in turn
 */

/**
 * The calls from one function to others.
 *
 * Names are written out where they come first, `fn=(12) name` or `cfn=(12) name`, and are `(12)` from there on. A line
 * `calls=3 0` and a line `0 4567`, a place and its instructions, follow the function that is called. One function may
 * stand in several places.
 *
 * @param {string} text of the file
 * @param {(name: string) => boolean} isCaller
 * @returns {readonly Called[]}
 * @see "Callgrind Format Specification", Valgrind
 */
export function callsFrom(text, isCaller) {
  /** @type {Map<string, string>} */
  const names = new Map();
  const nameOf = (/** @type {string} */ id, /** @type {string | undefined} */ name) => {
    if (name !== undefined) names.set(id, name);
    return names.get(id) ?? id;
  };
  /** @type {Map<string, Called>} */
  const found = new Map();
  let isInside = false;
  let callee = '';
  let calls = 0;
  for (const line of text.split('\n')) {
    const [, kind, id = '', name] = /^(c?fn)=(\(\d+\))(?: (.*))?$/.exec(line) ?? [];
    if (kind === 'fn') isInside = isCaller(nameOf(id, name));
    else if (kind === 'cfn') callee = nameOf(id, name);
    else if (line.startsWith('calls=')) calls = Number.parseInt(line.slice('calls='.length), 10);
    else if (calls > 0) {
      if (isInside) {
        const sum = found.get(callee) ?? {name: callee, calls: 0, instructions: 0};
        const instructions = sum.instructions + Number(line.split(' ')[1]);
        found.set(callee, {...sum, calls: sum.calls + calls, instructions});
      }
      calls = 0;
    }
  }
  return [...found.values()];
}

/**
 * Instructions of one run of each task that the executor of the CPU device takes, by the name of the native function
 * that enqueued it. What JavaScript does besides, and how it is compiled meanwhile, is not in them.
 *
 * @param {string} text of callgrind's file
 * @returns {Readonly<Record<string, number>>}
 */
export function taskInstructions(text) {
  const tasks = callsFrom(text, (name) => name.startsWith('crossmap::cpu::CpuDevice::runEntry('));
  /** @type {Record<string, number>} */
  const counts = {};
  for (const {name, calls, instructions} of tasks) {
    // std::_Function_handler<void (crossmap::cpu::Context&), void crossmap::cpu::matmul<(crossmap::cpu::Isa)1>(...)::{lambda...
    const kernel = /crossmap::cpu::(?:\(anonymous namespace\)::)?(\w+)</.exec(name)?.[1];
    if (kernel !== undefined) counts[kernel] = (counts[kernel] ?? 0) + instructions / calls;
  }
  return counts;
}
