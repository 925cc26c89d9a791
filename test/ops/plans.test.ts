/**
 * How kernels divide their work, as pure functions of architecture, dtype and shape. Whatever the shape: each element belongs to one block,
 * and what is launched fits the GPU.
 */
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const program = compile(
  path.join(programFolder(), 'plans'),
  ['test/ops/plans-program.cc', 'native/runtime/error.cc'],
  ['-DCROSSMAP_SIMT', '-Wno-unknown-pragmas'],
);

const kib = 1024;

/** What can be built for, and the emulator; multiprocessors are those of the largest GPU that is sold: A100, A10, L40S, H100, B200, RTX PRO 6000. */
const architectures = [
  {name: 'sm_80', multiprocessors: 108, sharedBytes: 163 * kib},
  {name: 'sm_86', multiprocessors: 72, sharedBytes: 99 * kib},
  {name: 'sm_89', multiprocessors: 142, sharedBytes: 99 * kib},
  {name: 'sm_90a', multiprocessors: 132, sharedBytes: 227 * kib},
  {name: 'sm_100', multiprocessors: 148, sharedBytes: 227 * kib},
  {name: 'sm_120', multiprocessors: 188, sharedBytes: 99 * kib},
  {name: 'emulator', multiprocessors: 4, sharedBytes: 163 * kib},
] as const;

/** Nothing, one, primes, both sides of tiles and of limits in the plans, and more than 32 bits. */
const sizes = [
  0, 1, 7, 31, 64, 127, 128, 129, 513, 1024, 1025, 2048, 2049, 8191, 32_000, 131_071, 3_000_000_019,
];

/** Of a grid's first axis; the second has `mostSplits`. */
const mostBlocks = 2 ** 31 - 1;
const mostSplits = 65_535;
const mostThreads = 1024;

/** Elements of a tensor, at 2 bytes twice as many as the largest memory of a GPU holds. */
const mostElements = 2 ** 38;

/** Asks for a plan in each case, and names the fields of the answers. */
function plansOf<Case, Field extends string>(
  plan: string,
  cases: readonly Case[],
  question: (of: Case) => readonly (number | string)[],
  fields: readonly Field[],
): readonly (Case & {readonly plan: Readonly<Record<Field, number>>})[] {
  const input = cases.map((each) => [plan, ...question(each)].join(' ')).join('\n');
  return runProgram(program, {input}).map((line, index) => {
    const values = line.split(' ').map(Number);
    if (values.length !== fields.length) throw new Error(`${plan} gave ${line}`);
    const named = Object.fromEntries(fields.map((field, at) => [field, values[at]!]));
    return {...cases[index]!, plan: named as Record<Field, number>};
  });
}

/** All of them must hold; a failure shows the case. */
function holds(t: ExecutionContext, of: unknown, claims: Readonly<Record<string, boolean>>): void {
  const broken = Object.entries(claims).flatMap(([claim, isTrue]) => (isTrue ? [] : [claim]));
  if (broken.length > 0) t.fail(`${broken.join('; ')}: ${JSON.stringify(of)}`);
}

/** Whether so many parts of a length hold `count` elements, and none of them is empty. */
const covers = (count: number, parts: number, length: number): boolean =>
  parts * length >= count && (parts - 1) * length < Math.max(count, 1);

const isPowerOf2 = (value: number): boolean => Number.isInteger(Math.log2(value));

const gemms = plansOf(
  'gemm',
  architectures.flatMap((architecture) =>
    (['float32', 'bfloat16'] as const).flatMap((dtype) =>
      sizes.flatMap((m) =>
        [0, 1, 129, 4096, 32_000].flatMap((n) =>
          [0, 1, 511, 512, 1024, 65_537, 3_000_000_019].map((k) => ({architecture, dtype, m, n, k})),
        ),
      ),
    ),
  ),
  ({architecture, dtype, m, n, k}) => [dtype, architecture.multiprocessors, m, n, k],
  ['tile', 'splits', 'threads', 'sharedBytes'],
);

test('gemm: tiles and parts fit the grid, the threads and the shared memory of each architecture', (t) => {
  for (const {plan, ...of} of gemms)
    holds(
      t,
      {...of, plan},
      {
        'a tile that there is a kernel for': plan.tile === 64 || plan.tile === 128,
        'whole warps': plan.threads % 32 === 0 && plan.threads <= mostThreads,
        'shared memory': plan.sharedBytes <= of.architecture.sharedBytes,
        'a part at least': plan.splits >= 1 && plan.splits <= mostSplits,
        blocks:
          Math.ceil(of.m / plan.tile) * Math.ceil(of.n / plan.tile) <= mostBlocks ||
          of.m * of.n > mostElements,
      },
    );
  t.pass();
});

test('gemm: tiles of 128 where each multiprocessor has one, tiles of 64 where not', (t) => {
  for (const {plan, ...of} of gemms) {
    const large = Math.ceil(of.m / 128) * Math.ceil(of.n / 128);
    holds(t, {...of, plan}, {tile: plan.tile === (large >= of.architecture.multiprocessors ? 128 : 64)});
  }
  t.pass();
});

test('gemm: the depth is split where multiprocessors stand idle, into parts that are worth it', (t) => {
  t.true(gemms.some(({plan}) => plan.splits > 1));
  for (const {plan, ...of} of gemms) {
    if (plan.splits === 1) continue;
    const tiles = Math.ceil(of.m / plan.tile) * Math.ceil(of.n / plan.tile);
    holds(
      t,
      {...of, plan},
      {
        'blocks for idle multiprocessors only': tiles * plan.splits <= of.architecture.multiprocessors,
        'a depth of 512 for each part': of.k / plan.splits >= 512,
        'sums of 64 MiB at most': plan.splits * of.m * of.n * 4 <= 64 * kib * kib,
      },
    );
  }
  t.pass();
});

const rmsNorms = plansOf(
  'rmsNorm',
  architectures.flatMap((architecture) =>
    [2, 4].flatMap((elementBytes) =>
      // Rows and weights forward; two rows more, and sums of gradients, backward.
      [2 * elementBytes, 3 * elementBytes + 4].flatMap((featureBytes) =>
        sizes.flatMap((tokens) => sizes.map((features) => ({architecture, featureBytes, tokens, features}))),
      ),
    ),
  ),
  ({architecture, featureBytes, tokens, features}) => [
    architecture.multiprocessors,
    architecture.sharedBytes,
    tokens,
    features,
    features * featureBytes,
    128,
  ],
  ['threads', 'teams', 'blocks', 'isKept', 'sharedBytes'],
);

test('rms-norm: a token belongs to a team, a warp or a block, and rows are kept where they fit', (t) => {
  for (const {plan, ...of} of rmsNorms) {
    const kept = plan.teams * of.features * of.featureBytes + 128;
    holds(
      t,
      {...of, plan},
      {
        'teams are warps, or one block': plan.teams === 1 || plan.teams * 32 === plan.threads,
        'warps have rows of up to 1024 features': plan.teams > 1 === of.features <= 1024,
        'whole warps': plan.threads % 32 === 0 && plan.threads <= mostThreads,
        'shared memory': plan.sharedBytes <= of.architecture.sharedBytes,
        'kept where it fits': (plan.isKept === 1) === kept <= of.architecture.sharedBytes,
        'bytes of what is kept': plan.sharedBytes === (plan.isKept === 1 ? kept : 128),
      },
    );
  }
  t.pass();
});

test('rms-norm: blocks have eight tokens for each team, and at most two blocks a multiprocessor', (t) => {
  for (const {plan, ...of} of rmsNorms)
    holds(
      t,
      {...of, plan},
      {
        'no more than two': plan.blocks <= 2 * of.architecture.multiprocessors,
        'none without tokens': plan.blocks > 0 === of.tokens > 0,
        'none for less than eight tokens a team':
          plan.blocks <= 1 || (plan.blocks - 1) * plan.teams * 8 < of.tokens,
      },
    );
  t.pass();
});

const softmaxes = plansOf(
  'softmax',
  architectures.flatMap((architecture) =>
    [2, 4].flatMap((elementBytes) =>
      // What is kept of each element: x; x and dy.
      [1, 2].flatMap((operands) =>
        sizes.flatMap((features) =>
          [1, 16 / elementBytes].map((width) => ({
            architecture,
            features,
            width,
            bytes: features * elementBytes * operands,
          })),
        ),
      ),
    ),
  ),
  ({architecture, features, width, bytes}) => [architecture.sharedBytes, features, width, bytes],
  ['lanes', 'rowsPerBlock', 'threads', 'isKept', 'bytesPerRow', 'sharedBytes'],
);

test('softmax: the threads of a block are dealt to whole rows, a row within a warp or all of it', (t) => {
  for (const {plan, ...of} of softmaxes)
    holds(
      t,
      {...of, plan},
      {
        'all threads have a row': plan.lanes * plan.rowsPerBlock === plan.threads,
        'lanes that shuffles can join':
          isPowerOf2(plan.lanes) && (plan.lanes <= 32 || plan.rowsPerBlock === 1),
        'whole warps': plan.threads % 32 === 0 && plan.threads <= 512,
        'no more lanes than packs, in a warp':
          plan.lanes > 32 || plan.lanes < 2 * Math.max(1, Math.ceil(of.features / of.width)),
      },
    );
  t.pass();
});

test('softmax: rows that are kept fit beside the scratch, aligned, and leave room for other blocks', (t) => {
  t.true(softmaxes.some(({plan}) => plan.isKept === 0) && softmaxes.some(({plan}) => plan.isKept === 1));
  for (const {plan, ...of} of softmaxes)
    holds(
      t,
      {...of, plan},
      {
        'shared memory': plan.sharedBytes <= Math.min(of.architecture.sharedBytes, 48 * kib + 128),
        'scratch, and what is kept': plan.sharedBytes === 128 + plan.rowsPerBlock * plan.bytesPerRow,
        'rows begin at multiples of 16 bytes': plan.bytesPerRow % 16 === 0,
        'whole rows': plan.isKept === 0 ? plan.bytesPerRow === 0 : plan.bytesPerRow >= of.bytes,
        'small rows are kept': plan.isKept === 1 || (of.bytes + 16) * plan.rowsPerBlock > 48 * kib,
      },
    );
  t.pass();
});

const reductions = plansOf(
  'reduce',
  sizes.flatMap((rows) => sizes.flatMap((features) => [1, 4, 8].map((width) => ({rows, features, width})))),
  ({rows, features, width}) => [rows, features, width],
  ['lanes', 'rowsPerBlock', 'splits', 'splitLength'],
);

test('reduce: each element of a row belongs to one part, and each row to some lanes of a block', (t) => {
  for (const {plan, ...of} of reductions)
    holds(
      t,
      {...of, plan},
      {
        'parts cover the row': covers(of.features, plan.splits, plan.splitLength),
        'parts begin at whole packs': plan.splitLength % of.width === 0,
        'all threads have a row': plan.lanes * plan.rowsPerBlock === 256,
        'lanes that shuffles can join':
          isPowerOf2(plan.lanes) && (plan.lanes <= 32 || plan.rowsPerBlock === 1),
        blocks:
          Math.ceil(of.rows / plan.rowsPerBlock) * plan.splits <= mostBlocks ||
          of.rows * of.features > mostElements,
      },
    );
  t.pass();
});

test('reduce: few long rows are split until there are a thousand blocks, into parts of more than 4096', (t) => {
  t.true(reductions.some(({plan}) => plan.splits > 1));
  for (const {plan, ...of} of reductions)
    holds(
      t,
      {...of, plan},
      {
        'enough blocks': plan.splits === 1 || (plan.splits - 1) * of.rows < 1024,
        'long parts': plan.splits === 1 || plan.splitLength > 4096,
        'short rows are whole': of.features > 8192 || plan.splits === 1,
      },
    );
  t.pass();
});

const rowTiles = plansOf(
  'rowTiles',
  sizes.flatMap((rows) =>
    sizes.flatMap((features) =>
      [1, 4, 8].flatMap((width) =>
        [1, 64, 2 ** 31 - 1].map((mostRowBlocks) => ({rows, features, width, mostRowBlocks})),
      ),
    ),
  ),
  ({rows, features, width, mostRowBlocks}) => [rows, features, width, 4, mostRowBlocks],
  ['columnThreads', 'rowThreads', 'threads', 'columnBlocks', 'rowBlocks', 'rowsPerBlock'],
);

test('row tiles: each pack of each row belongs to one thread of one block', (t) => {
  for (const {plan, ...of} of rowTiles) {
    const packs = Math.ceil(of.features / of.width);
    holds(
      t,
      {...of, plan},
      {
        'blocks cover the columns':
          packs === 0 ? plan.columnBlocks === 0 : covers(packs, plan.columnBlocks, plan.columnThreads),
        'blocks cover the rows':
          of.rows === 0 ? plan.rowBlocks === 0 : covers(of.rows, plan.rowBlocks, plan.rowsPerBlock),
        'threads stand side by side': plan.columnThreads * plan.rowThreads <= Math.min(256, plan.threads),
        'whole warps': plan.threads % 32 === 0 && plan.threads <= 256,
        'no more partial sums than asked for': plan.rowBlocks <= of.mostRowBlocks,
        blocks: plan.columnBlocks * plan.rowBlocks <= mostBlocks || of.rows * of.features > mostElements,
      },
    );
  }
  t.pass();
});

const methods = ['lossOnly', 'stored', 'again'] as const;

const crossEntropies = plansOf(
  'linearCrossEntropy',
  architectures.flatMap((architecture) =>
    [2, 4].flatMap((gradientBytes) =>
      [0, 1].flatMap((wantsGradients) =>
        sizes
          .filter((size) => size < 2 ** 31)
          .flatMap((tokens) =>
            [0, 1, 127, 32_000, 262_144, 1_000_003].map((vocab) => ({
              architecture,
              gradientBytes,
              wantsGradients,
              tokens,
              vocab,
            })),
          ),
      ),
    ),
  ),
  ({architecture, tokens, vocab, gradientBytes, wantsGradients}) => [
    architecture.multiprocessors,
    tokens,
    vocab,
    gradientBytes,
    wantsGradients,
  ],
  ['method', 'rows', 'columns'],
);

test('linear cross-entropy: chunks cover the tokens, and groups of columns the vocabulary', (t) => {
  for (const {plan, ...of} of crossEntropies) {
    const method = methods[plan.method];
    const chunks = Math.ceil(of.tokens / plan.rows);
    holds(
      t,
      {...of, plan},
      {
        'a token at least': plan.rows >= 1 && plan.rows <= Math.max(of.tokens, 1),
        'chunks are about as large': chunks <= 1 || of.tokens - (chunks - 1) * plan.rows > 0,
        'whole tiles, where there are several chunks':
          chunks <= 1 || plan.rows < 128 || plan.rows % 128 === 0,
        'all columns, or whole tiles of them':
          method === 'again'
            ? plan.columns % 128 === 0 || plan.columns >= of.vocab
            : plan.columns === Math.max(of.vocab, 1),
        'gradients are computed where they are wanted': (method === 'lossOnly') === (of.wantsGradients === 0),
      },
    );
  }
  t.pass();
});

test('linear cross-entropy: what is stored of logits and gradients has a bound for each multiprocessor', (t) => {
  t.is(new Set(crossEntropies.map(({plan}) => plan.method)).size, methods.length);
  for (const {plan, ...of} of crossEntropies) {
    const {multiprocessors} = of.architecture;
    const logitBytes = of.gradientBytes === 4 ? 4 : 4 + of.gradientBytes;
    const isStored = methods[plan.method] === 'stored';
    const isAgain = methods[plan.method] === 'again';
    holds(
      t,
      {...of, plan},
      {
        'two MiB of logits and gradients':
          !isStored ||
          plan.rows * of.vocab * logitBytes <= multiprocessors * 2 * kib * kib ||
          plan.rows === 1,
        'half a MiB of gradients, or a tile of columns':
          !isAgain ||
          plan.rows * plan.columns * of.gradientBytes <= multiprocessors * kib * (kib / 2) ||
          plan.columns === 128,
        'logits are stored where chunks of eight tokens for each multiprocessor fit':
          of.wantsGradients === 0 ||
          isStored ===
            Math.floor((multiprocessors * 2 * kib * kib) / (Math.max(of.vocab, 1) * logitBytes)) >=
              Math.min(of.tokens, 8 * multiprocessors),
      },
    );
  }
  t.pass();
});
