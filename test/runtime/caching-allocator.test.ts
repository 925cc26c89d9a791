/** The policy of the caching allocator, which all devices share, over memory that is only numbers. */
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const program = compile(path.join(programFolder(), 'allocator'), [
  'test/runtime/allocator-program.cc',
  'native/runtime/caching-allocator.cc',
  'native/runtime/error.cc',
]);

/** Blocks of 256 up; small ones up to 4096 from slabs of 65536; an eighth may be wasted. */
const policy = {alignment: 256, small: 4096, slab: 65536, wasted: 1, capacity: 10_000_000, settle: 1};

/** What each command prints. */
function run(commands: readonly string[], changed: Partial<typeof policy> = {}): string[] {
  const {alignment, small, slab, wasted, capacity, settle} = {...policy, ...changed};
  const first = `policy ${alignment} ${small} ${slab} ${wasted} ${capacity} ${settle}`;
  return runProgram(program, {input: [first, ...commands].join('\n')}).slice(1);
}

test('a block that was released serves the next request of its size at once', (t) => {
  const [first, , second] = run(['allocate a 100000', 'release a', 'allocate b 99000']);
  t.is(first, second);
});

test('of several blocks of a size the one that was released last is taken', (t) => {
  const [, second, , , taken] = run([
    'allocate a 100000',
    'allocate b 100000',
    'release a',
    'release b',
    'allocate c 100000',
  ]);
  t.is(taken, second);
});

test('a block serves no request that wastes more than an eighth of it', (t) => {
  const [a, , b, c] = run(['allocate a 163840', 'release a', 'allocate b 131072', 'allocate c 147456']);
  t.not(a, b, 'a fifth would be wasted');
  t.is(a, c);
});

test('the smallest block that fits is taken', (t) => {
  const lines = run([
    'allocate large 163840',
    'allocate small 147456',
    'release large',
    'release small',
    'allocate c 147000',
  ]);
  t.is(lines[4], lines[1]);
});

test('small blocks are cut from one slab for each size, without overlap', (t) => {
  const lines = run([...Array.from({length: 256}, (_, index) => `allocate x${index} 200`), 'use']);
  const addresses = lines.slice(0, 256).map(Number);
  t.deepEqual(
    addresses,
    Array.from({length: 256}, (_, index) => addresses[0]! + 256 * index),
  );
  t.is(lines[256], `${256 * 256} 0 ${256 * 256} 65536`);
});

test('a slab goes back to the source once none of its blocks is in use', (t) => {
  const lines = run([
    'allocate a 200',
    'allocate b 200',
    'release a',
    'trim',
    'use',
    'release b',
    'trim',
    'use',
  ]);
  t.is(lines[4], '256 256 512 65536');
  t.is(lines[7], '0 0 512 0');
});

test('allocated, cached and peak bytes are counted as rounded', (t) => {
  const lines = run(['allocate a 1000000', 'use', 'release a', 'use', 'allocate b 10000', 'use']);
  t.is(lines[1], '1048576 0 1048576 1048576');
  t.is(lines[3], '0 1048576 1048576 1048576');
  t.is(lines[5], '10240 1048576 1048576 1058816');
});

test('without memory what is cached is given back, and the source is asked once more', (t) => {
  const lines = run(['allocate a 600000', 'release a', 'allocate b 900000', 'use'], {capacity: 1_000_000});
  t.is(lines[3], '917504 0 917504 917504');
});

test('memory that is not to be had is refused with what there is', (t) => {
  const lines = run(['allocate a 600000', 'allocate b 500000', 'use'], {capacity: 1_000_000});
  t.is(
    lines[1],
    'ERR_OUT_OF_MEMORY test: 500000 bytes could not be allocated beside 655360 allocated and 0 cached ones; 344640 are free',
  );
  t.is(lines[2], '655360 0 655360 655360', 'nothing has changed');
});

test('a source that cannot wait keeps what is cached', (t) => {
  const lines = run(['allocate a 600000', 'release a', 'allocate b 900000'], {
    capacity: 1_000_000,
    settle: 0,
  });
  t.regex(lines[2]!, /^ERR_OUT_OF_MEMORY .* beside 0 allocated and 655360 cached ones/);
});

test('blocks of one pool serve no other', (t) => {
  const [a, , b, , c] = run([
    'allocate a 100000 main',
    'release a',
    'allocate b 100000 other',
    'release b',
    'allocate c 100000 other',
  ]);
  t.not(a, b);
  t.is(b, c);
});

test('where tickets count, a block is taken once the work before its release is done', (t) => {
  const lines = run([
    'allocate a 100000 other',
    'allocate b 100000 other',
    'release a 5',
    'release b 6',
    'allocate c 100000 other 4',
    'allocate d 100000 other 5',
    'allocate e 100000 other 6',
  ]);
  const [a, b, , , c, d, e] = lines;
  t.false([a, b].includes(c), 'both may still be read');
  t.is(d, a);
  t.is(e, b);
});

test('what a reserved pool holds is not given back before it is closed', (t) => {
  const lines = run([
    'reserve graph',
    'allocate a 100000 graph',
    'allocate s 300 graph',
    'release a',
    'release s',
    'trim',
    'use',
    'allocate b 100000 graph',
    'release b',
    'close graph',
    'allocate c 100000',
    'release c',
    'trim',
    'use',
  ]);
  t.is(lines[6], '0 107008 107008 172032');
  t.is(lines[7], lines[1], 'the pool serves itself');
  t.is(lines[10], lines[1], 'then the main pool has it');
  t.is(lines[13], '0 0 107008 0');
});

test('a block in use when its reserved pool is closed is released to the main pool', (t) => {
  const lines = run([
    'reserve graph',
    'allocate a 100000 graph',
    'close graph',
    'release a',
    'allocate b 100000',
  ]);
  t.is(lines[4], lines[1]);
});

/** Requests and releases at random: what is in use never overlaps, and all comes back. */
test('whatever is asked and released, blocks in use are apart and counts are right', (t) => {
  const size = fc.oneof(fc.integer({min: 0, max: 5000}), fc.integer({min: 0, max: 300_000}));
  const action = fc.record({size, release: fc.nat(), pool: fc.constantFrom('main', 'other')});
  fc.assert(
    fc.property(fc.array(action, {maxLength: 60}), (actions) => {
      const commands: string[] = [];
      const living: {name: string; size: number}[] = [];
      for (const [index, {size: bytes, release, pool}] of actions.entries()) {
        commands.push(`allocate n${index} ${bytes} ${pool}`);
        living.push({name: `n${index}`, size: bytes});
        if (release % 3 > 0) {
          const [gone] = living.splice(release % living.length, 1);
          commands.push(`release ${gone!.name} ${index}`);
        }
      }
      const rest = living.map(({name}) => `release ${name}`);
      const lines = run([...commands, ...rest, 'trim', 'use'], {capacity: 1e12});
      const inUse = new Map<string, {start: number; end: number}>();
      for (const [index, command] of commands.entries()) {
        const [verb = '', name = '', bytes = '0'] = command.split(' ');
        if (verb === 'release') inUse.delete(name);
        else {
          const start = Number(lines[index]);
          const range = {start, end: start + Math.max(1, Number(bytes))};
          for (const other of inUse.values())
            if (range.start < other.end && other.start < range.end) return false;
          if (start % 256 !== 0) return false;
          inUse.set(name, range);
        }
      }
      return /^0 0 \d+ 0$/.test(lines.at(-1)!);
    }),
    {numRuns: 40, seed: 1},
  );
  t.pass();
});
