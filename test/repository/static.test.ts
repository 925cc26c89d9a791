/** `npm run static`: what is read from the compiler's output, and what it makes of that. */
import test from 'ava';
import {loadScript} from './support.js';

interface KernelUsage {
  readonly symbol: string;
  readonly architecture: string;
  readonly registers: number;
  readonly spillStores: number;
  readonly spillLoads: number;
  readonly stackBytes: number;
  readonly sharedBytes: number;
}

interface Compiled extends Omit<KernelUsage, 'symbol'> {
  readonly file: string;
  readonly kernel: string;
  readonly threads: number | undefined;
  readonly usesTensorCores: boolean;
  readonly usesDynamicShared: boolean;
}

interface Launch {
  readonly threads: number;
  readonly sharedBytes: number;
}

/** By architecture, then by kernel. */
type Launches = ReadonlyMap<string, ReadonlyMap<string, Launch>>;

interface NativeFunction {
  readonly entry: number;
  readonly symbol: string;
  readonly file: string;
}

type Kernels = Record<string, {readonly architectures: Record<string, Record<string, number | string>>}>;

const {parsePtxas, parsePtx, complaintsOf} = await loadScript<{
  parsePtxas: (output: string) => KernelUsage[];
  parsePtx: (ptx: string) => {
    symbol: string;
    threads: number | undefined;
    usesTensorCores: boolean;
    usesDynamicShared: boolean;
  }[];
  complaintsOf: (output: string) => string[];
}>('scripts/cuda/ptxas.mjs');
const {kernelName} = await loadScript<{kernelName: (demangled: string) => string}>('scripts/cuda/names.mjs');
const {parseFunctions, largestLaunches} = await loadScript<{
  parseFunctions: (table: string) => NativeFunction[];
  largestLaunches: (
    launches: readonly (Launch & {readonly entry: number})[],
    functions: readonly NativeFunction[],
    namesOf: (symbols: readonly string[]) => ReadonlyMap<string, string>,
  ) => ReadonlyMap<string, Launch>;
}>('scripts/cuda/launches.mjs');
const {recordKernels, relaunchKernels, unknownLaunches, mainLoopSpills, growth, differences, recordText} =
  await loadScript<{
    recordKernels: (compiled: readonly Compiled[], launches: Launches) => Kernels;
    relaunchKernels: (kernels: Kernels, launches: Launches) => Kernels;
    unknownLaunches: (compiled: readonly Compiled[], launches: Launches) => string[];
    mainLoopSpills: (kernels: Kernels) => string[];
    growth: (kernels: Kernels, before: Kernels) => string[];
    differences: (kernels: Kernels, before: Kernels) => string[];
    recordText: (record: unknown) => string;
  }>('scripts/cuda/record.mjs');

// Printed by nvcc 13.0 for two architectures; the names are shortened.
const output = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z12spillsKernelPf' for 'sm_80'
ptxas info    : Function properties for _Z12spillsKernelPf
    2192 bytes stack frame, 5760 bytes spill stores, 15480 bytes spill loads
ptxas info    : Used 64 registers, used 0 barriers, 2192 bytes cumulative stack size, 368 bytes cmem[0]
ptxas info    : Compile time = 1210.779 ms
ptxas info    : Compiling entry function '_Z11callsKernelPf' for 'sm_80'
ptxas info    : Function properties for _Z11callsKernelPf
    128 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 23 registers, used 1 barriers, 160 bytes cumulative stack size, 400 bytes smem, 364 bytes cmem[0]
ptxas info    : Compile time = 4.777 ms
ptxas info    : Function properties for _Z6helperPf
    32 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z12spillsKernelPf' for 'sm_90a'
ptxas info    : Function properties for _Z12spillsKernelPf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 168 registers, used 16 barriers
ptxas info    : Compile time = 99.836 ms
`;

const figures = {registers: 64, spillStores: 0, spillLoads: 0, stackBytes: 0, sharedBytes: 0};
const compiled = {
  ...figures,
  file: 'native/ops/a/a-cuda.cu',
  kernel: 'aKernel<float>',
  architecture: '80',
  threads: 256,
  usesTensorCores: false,
  usesDynamicShared: false,
};

test('ptxas: registers, spills, stack and shared memory of each kernel on each architecture', (t) => {
  t.deepEqual(parsePtxas(output), [
    {
      symbol: '_Z12spillsKernelPf',
      architecture: '80',
      registers: 64,
      spillStores: 5760,
      spillLoads: 15480,
      stackBytes: 2192,
      sharedBytes: 0,
    },
    // With the function that is called, whose properties follow.
    {
      symbol: '_Z11callsKernelPf',
      architecture: '80',
      registers: 23,
      spillStores: 8,
      spillLoads: 12,
      stackBytes: 160,
      sharedBytes: 400,
    },
    {
      symbol: '_Z12spillsKernelPf',
      architecture: '90a',
      registers: 168,
      spillStores: 0,
      spillLoads: 0,
      stackBytes: 0,
      sharedBytes: 0,
    },
  ]);
});

test('ptxas: figures are no complaints, warnings and errors are', (t) => {
  t.deepEqual(complaintsOf(output), []);
  const warning = 'ptxas warning : Value of threads per SM for entry f is out of range';
  const error = `a.cu(3): error #177-D: variable "b" was declared but never referenced`;
  t.deepEqual(complaintsOf(`${output}${warning}\n${error}\n`), [warning, error]);
});

test('ptx: launch bounds, tensor cores and dynamic shared memory of each kernel', (t) => {
  const ptx = `.extern .shared .align 1024 .b8 _ZN8crossmap4cuda14crossmapSharedE[];
.entry _Z1aPf(
.param .u64 _Z1aPf_param_0
)
.maxntid 64, 4, 1
.minnctapersm 2
{
mov.u32 %r1, _ZN8crossmap4cuda14crossmapSharedE;
mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, {%f1,%f2,%f3,%f4};
}
.visible .entry _Z1bPf(
)
{
ret;
}`;
  t.deepEqual(parsePtx(ptx), [
    {symbol: '_Z1aPf', threads: 256, usesTensorCores: true, usesDynamicShared: true},
    {symbol: '_Z1bPf', threads: undefined, usesTensorCores: false, usesDynamicShared: false},
  ]);
});

for (const [demangled, name] of [
  [
    'void crossmap::cuda::(anonymous namespace)::scale<float, 4>(crossmap::cuda::(anonymous namespace)::Args<float>)',
    'scale<float, 4>',
  ],
  ['crossmap::cuda::(anonymous namespace)::fill(float*, int)', 'fill'],
  [
    'void crossmap::cuda::(anonymous namespace)::map<crossmap::BFloat16, (crossmap::Unary)3>(float*)',
    'map<BFloat16, (Unary)3>',
  ],
] as const)
  test(`a kernel is called ${name}`, (t) => {
    t.is(kernelName(demangled), name);
  });

test('the record holds a kernel once, with its architectures and their occupancy', (t) => {
  const kernels = recordKernels([compiled, {...compiled, architecture: '86', registers: 128}], new Map());
  t.deepEqual(kernels as unknown, {
    'a-cuda.cu aKernel<float>': {
      threads: 256,
      tensorCores: false,
      sharedBytes: 0,
      architectures: {
        sm_80: {
          registers: 64,
          spillStores: 0,
          spillLoads: 0,
          stackBytes: 0,
          threads: 256,
          sharedBytes: 0,
          blocks: 4,
          occupancy: 0.5,
          limit: 'registers',
        },
        sm_86: {
          registers: 128,
          spillStores: 0,
          spillLoads: 0,
          stackBytes: 0,
          threads: 256,
          sharedBytes: 0,
          blocks: 2,
          occupancy: 0.333,
          limit: 'registers',
        },
      },
    },
  });
});

const launches = new Map(
  ['80', '86'].map((architecture) => [
    architecture,
    new Map([['a-cuda.cu aKernel<float>', {threads: 128, sharedBytes: 64 * 1024}]]),
  ]),
);

test('occupancy is that of the launch, with its threads and its shared memory', (t) => {
  const dynamic = {...compiled, usesDynamicShared: true, sharedBytes: 1024};
  const known = recordKernels([dynamic], launches);
  t.like(known['a-cuda.cu aKernel<float>'], {
    threads: 256,
    sharedBytes: 1024,
    architectures: {
      sm_80: {threads: 128, sharedBytes: 65 * 1024, blocks: 2, occupancy: 0.125, limit: 'shared'},
    },
  });
  t.deepEqual(unknownLaunches([dynamic], launches), []);
});

test('a kernel that takes shared memory and is not launched is named, once for all architectures', (t) => {
  const dynamic = {...compiled, usesDynamicShared: true};
  const all = [dynamic, {...dynamic, architecture: '86'}, {...compiled, kernel: 'without'}];
  t.deepEqual(unknownLaunches(all, new Map()), [
    'a-cuda.cu aKernel<float> takes its shared memory at the launch, and bench/gpu/launches.ts does not launch it',
  ]);
});

test('a record that is launched otherwise is as if it had been compiled so', (t) => {
  const all = [compiled, {...compiled, architecture: '86', registers: 128}];
  const [before, after] = [recordKernels(all, new Map()), recordKernels(all, launches)];
  t.deepEqual(relaunchKernels(before, launches), after);
  t.deepEqual(relaunchKernels(after, new Map()), before);
});

test('the functions of a file follow its name in the table of symbols, and only local ones are kernels', (t) => {
  const table = `
Symbol table '.symtab' contains 6 entries:
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     0: 0000000000000000     0 NOTYPE  LOCAL  DEFAULT  UND
     1: 0000000000000000     0 FILE    LOCAL  DEFAULT  ABS a-cuda.cu
     2: 00000000000012a0    77 FUNC    LOCAL  DEFAULT   14 _Za
     3: 0000000000003000     8 OBJECT  LOCAL  DEFAULT   21 _Zvalue
     4: 0000000000000000     0 FILE    LOCAL  DEFAULT  ABS b-cuda.cu
     5: 0000000000001300   512 FUNC    LOCAL  DEFAULT   14 _Zb
     6: 0000000000001500    64 FUNC    WEAK   DEFAULT   14 _Zw
`;
  t.deepEqual(parseFunctions(table), [
    {entry: 0x12a0, symbol: '_Za', file: 'a-cuda.cu'},
    {entry: 0x1300, symbol: '_Zb', file: 'b-cuda.cu'},
  ]);
});

test('of the launches of a kernel the one with the most shared memory counts', (t) => {
  const functions = [
    {entry: 1, symbol: '_Za', file: 'a-cuda.cu'},
    {entry: 2, symbol: '_Zhelper', file: 'a-cuda.cu'},
    {entry: 3, symbol: '_Za', file: 'b-cuda.cu'},
  ];
  const namesOf = (symbols: readonly string[]) => new Map(symbols.map((each) => [each, each.slice(2)]));
  const shapes = [
    {entry: 1, threads: 128, sharedBytes: 0},
    {entry: 1, threads: 64, sharedBytes: 512},
    {entry: 1, threads: 256, sharedBytes: 256},
    {entry: 3, threads: 32, sharedBytes: 0},
  ];
  t.deepEqual(
    [...largestLaunches(shapes, functions, namesOf)],
    [
      ['a-cuda.cu a', {threads: 64, sharedBytes: 512}],
      ['b-cuda.cu a', {threads: 32, sharedBytes: 0}],
    ],
  );
});

test('a spill in a main loop on tensor cores is named, one elsewhere is not', (t) => {
  const spilling = {...compiled, spillStores: 4, spillLoads: 8};
  t.deepEqual(mainLoopSpills(recordKernels([{...spilling, usesTensorCores: true}], new Map())), [
    'a-cuda.cu aKernel<float> on sm_80 spills in its main loop: 4 bytes stored, 8 loaded',
  ]);
  t.deepEqual(mainLoopSpills(recordKernels([spilling], new Map())), []);
});

test('growth is more registers, spills or stack than recorded', (t) => {
  const before = recordKernels([compiled], new Map());
  const now = recordKernels([{...compiled, registers: 65, stackBytes: 16}], new Map());
  t.deepEqual(growth(now, before), [
    'a-cuda.cu aKernel<float> on sm_80: registers 64 -> 65, stackBytes 0 -> 16',
  ]);
  t.deepEqual(growth(before, now), []);
});

test('a kernel that is new may have registers, but not spills', (t) => {
  t.deepEqual(growth(recordKernels([compiled], new Map()), {}), []);
  t.deepEqual(growth(recordKernels([{...compiled, spillLoads: 8}], new Map()), {}), [
    'a-cuda.cu aKernel<float> on sm_80: spillLoads 0 -> 8',
  ]);
});

test('a record that differs in either direction is stale', (t) => {
  const one = recordKernels([compiled, {...compiled, kernel: 'gone'}], new Map());
  const other = recordKernels(
    [
      {...compiled, registers: 60},
      {...compiled, kernel: 'fresh'},
    ],
    new Map(),
  );
  t.deepEqual(differences(one, one), []);
  t.deepEqual(differences(other, one), [
    'a-cuda.cu aKernel<float> is recorded with other figures',
    'a-cuda.cu fresh is not recorded',
    'a-cuda.cu gone is recorded and does not exist',
  ]);
});

test('the record has a line for each set of figures', (t) => {
  const kernels = recordKernels([compiled], new Map());
  const text = recordText({nvcc: '13.0', kernels, accepted: []});
  t.deepEqual(JSON.parse(text), {nvcc: '13.0', kernels, accepted: []});
  t.is(text.split('\n').filter((line) => line.includes('"registers"')).length, 1);
});
