import test from 'ava';
import {rotaryFrequencies} from '../../lib/nn/rotary-frequencies.js';
import {closeTo} from '../support/ops.js';

const shape = {headDim: 64, ropeTheta: 10000};

/** `theta^(-2d / headDim)` */
function plain(headDim: number, theta: number): number[] {
  return Array.from({length: headDim / 2}, (_, d) => theta ** ((-2 * d) / headDim));
}

test('unscaled frequencies fall from 1 as theta^(-2d / headDim)', (t) => {
  const {frequencies, scale} = rotaryFrequencies(shape);
  closeTo(t, frequencies, plain(64, 10000), 1e-15);
  t.is(scale, 1);
});

test('linear scaling divides every frequency by the factor', (t) => {
  const {frequencies, scale} = rotaryFrequencies({...shape, ropeScaling: {type: 'linear', factor: 8}});
  closeTo(
    t,
    frequencies,
    plain(64, 10000).map((frequency) => frequency / 8),
    1e-15,
  );
  t.is(scale, 1);
});

test('llama3 scaling keeps short waves, stretches long ones and blends between', (t) => {
  // Llama 3.1 8B: theta 500000, head dimension 128, factor 8, original context 8192, bounds 1 and 4.
  const scaling = {
    type: 'llama3',
    factor: 8,
    originalContext: 8192,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
  } as const;
  const {frequencies, scale} = rotaryFrequencies({headDim: 128, ropeTheta: 500000, ropeScaling: scaling});
  // By wavelength, as the paper's release does it.
  const wanted = plain(128, 500000).map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < 8192 / 4) return frequency;
    if (wavelength > 8192 / 1) return frequency / 8;
    const smooth = (8192 / wavelength - 1) / (4 - 1);
    return ((1 - smooth) * frequency) / 8 + smooth * frequency;
  });
  closeTo(t, frequencies, wanted, 1e-15);
  t.is(scale, 1);
  const unscaled = rotaryFrequencies({headDim: 128, ropeTheta: 500000}).frequencies;
  const kept = unscaled.filter((frequency, d) => frequencies[d] === frequency).length;
  const stretched = unscaled.filter((frequency, d) => frequencies[d] === frequency / 8).length;
  t.true(kept > 20 && stretched > 20 && kept + stretched < 64);
});

test('yarn scaling interpolates by turns over the original context and warms attention', (t) => {
  const scaling = {type: 'yarn', factor: 16, originalContext: 4096, betaFast: 32, betaSlow: 1} as const;
  const {frequencies, scale} = rotaryFrequencies({...shape, ropeScaling: scaling});
  // Features whose waves turn 32 times and once in 4096 positions: 64 ln(4096 / (32 2 pi)) / (2 ln 10000) = 10.47, and 22.51.
  const wanted = plain(64, 10000).map((frequency, d) => {
    const ramp = Math.min(Math.max((d - 10) / (23 - 10), 0), 1);
    return (frequency / 16) * ramp + frequency * (1 - ramp);
  });
  closeTo(t, frequencies, wanted, 1e-15);
  closeTo(t, [scale], [0.1 * Math.log(16) + 1], 1e-15);
});

test('yarn scaling has a step where both bounds fall on one feature', (t) => {
  const scaling = {type: 'yarn', factor: 2, originalContext: 1, betaFast: 32, betaSlow: 1} as const;
  const {frequencies} = rotaryFrequencies({headDim: 4, ropeTheta: 10000, ropeScaling: scaling});
  closeTo(t, frequencies, [1, 0.01 / 2], 1e-15);
});
