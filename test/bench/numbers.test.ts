/** Inputs of both sides of a duel, and what the Python side reads from its machine. */
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import test from 'ava';
import {randomValues} from '../../lib/bench/random-values.js';

test('the numbers are uniform: mean 0, and the standard deviation that is asked for', (t) => {
  const numbers = randomValues(100_000, {seed: 1, std: 0.5});
  const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const variance = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0) / numbers.length;
  // Five standard errors: 0.5 / sqrt(100000) of the mean, 0.25 sqrt(0.8 / 100000) of the variance of uniform numbers.
  t.true(Math.abs(mean) < 0.008, String(mean));
  t.true(Math.abs(variance - 0.25) < 0.0036, String(variance));
  t.true(numbers.every((each) => Math.abs(each) <= 0.5 * Math.sqrt(3) * (1 + 2 ** -23)));
});

test('the generator is that of Numerical Recipes', (t) => {
  // From the state 0: 1013904223, then 1664525 x 1013904223 + 1013904223 modulo 2^32 = 1196435762.
  const wanted = [1_013_904_223, 1_196_435_762].map((state) =>
    Math.fround((state / 2 ** 31 - 1) * Math.sqrt(3)),
  );
  t.deepEqual([...randomValues(2, {seed: 0})], wanted);
});

/** Where PyTorch can be imported; without it the peers run nowhere. */
const python = [process.env['CROSSMAP_PYTHON'] ?? '', '/usr/bin/python3', 'python3'].find(
  (place) => place !== '' && spawnSync(place, ['-c', 'import torch']).status === 0,
);
const withTorch = python === undefined ? test.skip : test;

function inPeers(program: string): unknown {
  const cwd = path.resolve(import.meta.dirname, '../../../bench/peers');
  const env = {...process.env, PYTHONDONTWRITEBYTECODE: '1'};
  const {stdout, stderr} = spawnSync(python ?? '', ['-c', program], {cwd, env, encoding: 'utf8'});
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

withTorch('the peers make the same numbers, to the bit', (t) => {
  const theirs = inPeers(
    'import json, seeded; print(json.dumps([float(x) for x in seeded.values(1000, 7, 0.02)]))',
  );
  t.deepEqual(theirs as number[], [...randomValues(1000, {seed: 7, std: 0.02})]);
});

withTorch('the BLAS is told from the libraries that are mapped', (t) => {
  const line = (file: string): string => `7f00-7f10 r-xp 00000000 08:01 1234    ${file}`;
  const folder = '/usr/lib/x86_64-linux-gnu';
  const cases = {
    openblas: [
      `${folder}/openblas-pthread/libblas.so.3`,
      `${folder}/openblas-pthread/libopenblasp-r0.3.21.so`,
    ],
    blis: [`${folder}/blis-pthread/libblas.so.3`],
    reference: [`${folder}/blas/libblas.so.3.11.0`, `${folder}/libc.so.6`],
    mkl: ['/opt/intel/libmkl_rt.so.2', `${folder}/blas/libblas.so.3.11.0`],
    none: [`${folder}/libc.so.6`],
  };
  const maps = Object.fromEntries(
    Object.entries(cases).map(([name, files]) => [name, files.map(line).join('\n')]),
  );
  const program = `import json, machine; print(json.dumps({k: machine.blas_of(v) for k, v in json.loads(${JSON.stringify(JSON.stringify(maps))}).items()}))`;
  t.deepEqual(inPeers(program), {
    openblas: {name: 'OpenBLAS', file: 'libopenblasp-r0.3.21.so'},
    blis: {name: 'BLIS', file: 'libblas.so.3'},
    reference: {name: 'reference', file: 'libblas.so.3.11.0'},
    mkl: {name: 'MKL', file: 'libmkl_rt.so.2'},
    none: null,
  });
});
