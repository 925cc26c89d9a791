/** `npm run instructions`: what is read from callgrind's output, and what counts as a change. */
import test from 'ava';
import {loadScript} from './support.js';

interface Called {
  readonly name: string;
  readonly calls: number;
  readonly instructions: number;
}

interface KernelCount {
  readonly shape: string;
  readonly instructions: number;
}

type Kernels = Readonly<Record<string, KernelCount>>;

const {callsFrom, taskInstructions} = await loadScript<{
  callsFrom: (text: string, isCaller: (name: string) => boolean) => readonly Called[];
  taskInstructions: (text: string) => Readonly<Record<string, number>>;
}>('scripts/instructions/callgrind.mjs');
const {changes, recordText, compilerOf} = await loadScript<{
  changes: (kernels: Kernels, before: Kernels) => readonly string[];
  recordText: (record: object) => string;
  compilerOf: (addon: Uint8Array) => string;
}>('scripts/instructions/record.mjs');

const lambda = (kernel: string): string =>
  `std::_Function_handler<void (crossmap::cpu::Context&), crossmap::cpu::${kernel}(crossmap::Tensor const&)::{lambda(crossmap::cpu::Context&)#1}>::_M_invoke(std::_Any_data const&)`;

// The executor is named where it is called first; it stands in two places; softmax is called by somebody else too.
const output = `# callgrind format
events: Ir

ob=(1) crossmap-cpu.node
fn=(1) crossmap::cpu::CpuDevice::execute()
0 30
cfn=(2) crossmap::cpu::CpuDevice::runEntry(crossmap::cpu::CpuDevice::Entry&)
calls=7 0
0 9999

fn=(2)
0 70
cfn=(3) ${lambda('softmax<(crossmap::cpu::Isa)1>')}
calls=4 0
0 400
cfn=(4) ${lambda('CpuDevice::synchronize')}
cob=(1)
calls=1 0
0 5
0 11

fn=(5) main
cfn=(3)
calls=1 0
0 777

fn=(2)
cfn=(3)
calls=2 0
* 230
`;

test('calls are those of the function that was asked for, wherever it stands', (t) => {
  t.deepEqual(
    callsFrom(output, (name) => name === 'main').map(({calls, instructions}) => ({calls, instructions})),
    [{calls: 1, instructions: 777}],
  );
  t.deepEqual(
    callsFrom(output, (name) => name === 'nobody'),
    [],
  );
});

test('tasks of kernels are counted for one run; those of the device itself are none', (t) => {
  t.deepEqual(taskInstructions(output), {softmax: 630 / 6});
});

const kernels: Kernels = {
  adamw: {shape: '100 weights', instructions: 1000},
  matmul: {shape: '[2, 3] x [3, 4]', instructions: 2000},
};

test('a change of more than 1 % is told with the kernel, in either direction', (t) => {
  t.deepEqual(changes(kernels, kernels), []);
  const within = {...kernels, adamw: {shape: '100 weights', instructions: 1010}};
  t.deepEqual(changes(within, kernels), []);
  const more = {...kernels, adamw: {shape: '100 weights', instructions: 1011}};
  t.deepEqual(changes(more, kernels), ['adamw, 100 weights: 1000 -> 1011 instructions, +1.1 %']);
  const less = {...kernels, adamw: {shape: '100 weights', instructions: 500}};
  t.deepEqual(changes(less, kernels), ['adamw, 100 weights: 1000 -> 500 instructions, -50.0 %']);
});

test('kernels that come, go or work on something else are changes', (t) => {
  const {adamw, matmul} = kernels;
  t.deepEqual(changes({adamw: {...adamw!, shape: '50 weights'}, softmax: matmul!}, kernels), [
    'adamw is recorded on 100 weights, and was counted on 50 weights',
    'matmul is recorded and was not counted',
    'softmax is not recorded',
  ]);
});

test('the record has a line for each kernel', (t) => {
  const text = recordText({compiler: 'GCC', instructionSet: 'avx2', kernels});
  t.true(text.includes('\n  "adamw": { "shape": "100 weights", "instructions": 1000 },\n'));
  t.deepEqual(JSON.parse(text), {compiler: 'GCC', instructionSet: 'avx2', kernels});
});

test('an addon tells what compiled it', (t) => {
  const addon = (text: string): Uint8Array => Buffer.from(`\x7fELF\0${text}\0\xff`, 'latin1');
  t.is(compilerOf(addon('GCC: (Debian 12.2.0-14) 12.2.0')), 'GCC: (Debian 12.2.0-14) 12.2.0');
  t.is(
    compilerOf(addon('GCC: (GNU) 13.1.0\0Debian clang version 14.0.6\0GCC: (GNU) 13.1.0')),
    'Debian clang version 14.0.6, GCC: (GNU) 13.1.0',
  );
  t.is(compilerOf(addon('')), 'unknown');
});
