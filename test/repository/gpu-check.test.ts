/** `npm run gpu-check`: what it reads from the programs that it runs, and what it writes. */
import test from 'ava';
import {loadScript} from './support.js';

interface Finished {
  readonly status: number;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

type Read = (finished: Finished) => {ok: boolean; summary: string; details?: unknown};

interface Step {
  readonly name: string;
  readonly limitSeconds: number;
  readonly command: readonly string[];
  readonly read: Read;
  readonly skip: string | undefined;
}

interface StepResult {
  readonly name: string;
  readonly status: string;
  readonly summary: string;
}

const {parseGpus, fileNameOf} = await loadScript<{
  parseGpus: (output: string) => {name: string; flopsPerSecond?: number}[];
  fileNameOf: (name: string) => string;
}>('scripts/gpu-check/gpus.mjs');
const {benchStep, readBenches, readTap, readSanitizer, runStep, stepsOf} = await loadScript<{
  benchStep: (setting: object, peerDevice: string | undefined, seconds: number) => Step;
  readBenches: Read;
  readTap: Read;
  readSanitizer: Read;
  runStep: (step: Step, setting: object, leftSeconds: number) => Promise<StepResult>;
  stepsOf: (setting: object) => readonly Step[];
}>('scripts/gpu-check/steps.mjs');
const {markdownOf} = await loadScript<{markdownOf: (report: object) => string}>(
  'scripts/gpu-check/report.mjs',
);

const finished = {status: 0, timedOut: false, stdout: '', stderr: '', seconds: 1};

test('GPUs: what nvidia-smi prints, with the peak of models that are known', (t) => {
  const output = 'NVIDIA H100 80GB HBM3, 580.65.06, 81559, 9.0\nNVIDIA Unheard Of, 1.0, 1024, 12.0\n';
  t.deepEqual(parseGpus(output) as unknown, [
    {
      name: 'NVIDIA H100 80GB HBM3',
      driver: '580.65.06',
      memoryBytes: 81559 * 2 ** 20,
      capability: '9.0',
      flopsPerSecond: 989e12,
    },
    {name: 'NVIDIA Unheard Of', driver: '1.0', memoryBytes: 2 ** 30, capability: '12.0'},
  ]);
  t.is(fileNameOf('NVIDIA H100 80GB HBM3'), 'nvidia-h100-80gb-hbm3');
});

for (const [name, flopsPerSecond] of [
  ['NVIDIA H100 PCIe', 756e12],
  ['NVIDIA H100 NVL', 835e12],
  ['NVIDIA H200', 989e12],
  ['NVIDIA A100-SXM4-80GB', 312e12],
  ['NVIDIA L4', 121e12],
  ['NVIDIA L40S', 362e12],
] as const)
  test(`the peak of an ${name}`, (t) => {
    t.is(parseGpus(`${name}, 1, 1, 9.0`)[0]?.flopsPerSecond, flopsPerSecond);
  });

test('TAP: passed and failed tests are counted, skipped ones are not', (t) => {
  const stdout = 'ok 1 - a\nok 2 - b # SKIP\nok 3 - c\nnot ok 4 - d\nnot ok 5 - e # TODO\n';
  t.deepEqual(readTap({...finished, status: 1, stdout}), {
    ok: false,
    summary: '2 passed, 1 failed',
    details: ['d'],
  });
  t.deepEqual(readTap({...finished, stdout: 'ok 1 - a\n'}), {ok: true, summary: '1 passed, 0 failed'});
});

test('TAP: a run without a test has failed, and tells the last that it said', (t) => {
  const {ok, summary} = readTap({...finished, status: 1, stderr: 'one\nno files matched\n'});
  t.false(ok);
  t.is(summary, '0 passed, 0 failed; no files matched');
});

test('the sanitizer: its summary decides', (t) => {
  const clean = '========= COMPUTE-SANITIZER\n{"cases": 3}\n========= ERROR SUMMARY: 0 errors\n';
  t.deepEqual(readSanitizer({...finished, stdout: clean}), {ok: true, summary: '0 errors'});
  const dirty =
    '========= COMPUTE-SANITIZER\n========= Invalid __global__ read\n========= ERROR SUMMARY: 1 error\n';
  t.deepEqual(readSanitizer({...finished, status: 9, stdout: dirty}), {
    ok: false,
    summary: '1 error',
    details: ['========= Invalid __global__ read'],
  });
  t.false(readSanitizer({...finished, stdout: 'nothing'}).ok);
});

test('a step that takes too long is ended and has failed; the next one runs', async (t) => {
  const slow: Step = {
    name: 'slow',
    limitSeconds: 0.2,
    command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
    read: () => ({ok: true, summary: 'read'}),
    skip: undefined,
  };
  t.like(await runStep(slow, {env: process.env}, 100), {status: 'failed', summary: 'not done in 0 s'});
  const quick = {...slow, limitSeconds: 60, command: [process.execPath, '-e', '']};
  t.like(await runStep(quick, {env: process.env}, 100), {status: 'passed', summary: 'read'});
  t.like(await runStep(quick, {env: process.env}, 0), {status: 'skipped', summary: 'no time was left'});
  t.like(await runStep({...quick, skip: 'no GPU'}, {env: process.env}, 100), {
    status: 'skipped',
    summary: 'no GPU',
  });
});

test('the dry run skips, with reasons, what needs a GPU, and nothing else', (t) => {
  const setting = {device: 'simt', env: {}, hasSanitizer: true};
  const skipped = stepsOf(setting).filter(({skip}) => skip !== undefined);
  t.deepEqual(
    skipped.map(({name}) => name),
    ['sanitizer memcheck', 'sanitizer racecheck', 'sanitizer synccheck', 'sanitizer initcheck'],
  );
  t.true(skipped.every(({skip}) => skip!.includes('GPU')));
  const onGpu = stepsOf({...setting, device: 'cuda'});
  t.true(onGpu.every(({skip}) => skip === undefined));
});

test('the benches take the time that is left, and peers only where they are asked for', (t) => {
  const {command, limitSeconds} = benchStep({device: 'simt'}, undefined, 100);
  t.is(limitSeconds, 100);
  t.deepEqual(command.slice(2), ['--device', 'simt', '--seconds', '70']);
  t.true(benchStep({device: 'simt'}, 'cpu', 10).command.join(' ').endsWith('--peer-device cpu --seconds 0'));
});

test('the benches: a side of ours without times is a failure, one of a peer is not', (t) => {
  const comparison = {
    title: 'attention',
    sides: [
      {name: 'crossmap', median: 1},
      {name: 'b', error: 'no kernel'},
    ],
  };
  const found = {
    peers: [{name: 'PyTorch', absent: 'not installed'}],
    comparisons: [comparison],
    left: ['adamw'],
  };
  t.like(readBenches({...finished, stdout: `noise\n${JSON.stringify(found)}\n`}), {
    ok: true,
    summary: '1 cases; without PyTorch (not installed); no time for adamw',
  });
  const broken = {
    ...found,
    comparisons: [{title: 'attention', sides: [{name: 'crossmap', error: 'a fault'}]}],
  };
  t.like(readBenches({...finished, stdout: JSON.stringify(broken)}), {ok: false});
  t.like(readBenches({...finished, stdout: '', stderr: 'Error: no addon'}), {
    ok: false,
    summary: 'Error: no addon',
  });
});

test('the Markdown has a row for each step and each side of a bench', (t) => {
  const text = markdownOf({
    version: '0.1.0',
    date: '2026-01-02T03:04:05.000Z',
    node: '20.0.0',
    device: 'cuda',
    gpu: {name: 'NVIDIA H100 80GB HBM3', driver: '580', flopsPerSecond: 1000e12},
    gpuCount: 1,
    peers: [],
    steps: [{name: 'op tests', status: 'passed', seconds: 12.34, summary: '5 passed | all'}],
    benches: [
      {
        title: 'attention both',
        flops: 1e12,
        sides: [
          {
            name: 'crossmap',
            median: 2e-3,
            lowerQuartile: 1e-3,
            upperQuartile: 3e-3,
            samples: 3,
            extraBytes: 2e9,
          },
          {name: 'sdpa flash', median: 3e-3, lowerQuartile: 3e-3, upperQuartile: 3e-3, samples: 3},
          {name: 'flash-attn', error: 'no kernel'},
        ],
      },
    ],
  });
  t.true(text.includes('| op tests | passed | 12.3 | 5 passed \\| all |'));
  t.true(
    text.includes(
      '| attention both | crossmap | 2.000 ms | 1.000 ms to 3.000 ms | 500 TFLOP/s | 50.0 % |  | 2.00 GB |  |',
    ),
  );
  t.true(text.includes('| 333 TFLOP/s | 33.3 % |  |  | 1.50x as fast |'));
  t.true(text.includes('| attention both | flash-attn | no kernel |'));
});
