/** Ops that are recorded once and executed many times. */
import test from 'ava';
import {add, embedding, scale} from '../../lib/ops/index.js';
import {
  canCapture,
  captured,
  emptyCache,
  full,
  memory,
  synchronize,
  tensor,
  zeros,
} from '../../lib/tensor/index.js';
import {testDevices} from '../support/ops.js';

const recording = testDevices.filter(canCapture);

for (const device of recording) {
  const on = {device};

  test.serial(`${device} recorded ops run at each replay, on what their inputs hold then`, async (t) => {
    const x = tensor([1, 2, 3], on);
    const graph = captured([x], () => {
      const twice = scale(x, 2);
      return {sum: add(twice, x)};
    });
    t.deepEqual([...(await x.floats())], [1, 2, 3]);
    graph.replay();
    t.deepEqual([...(await graph.result.sum.floats())], [3, 6, 9]);
    x.copyFrom(tensor([10, 20, 30], on));
    graph.replay();
    t.deepEqual([...(await graph.result.sum.floats())], [30, 60, 90]);
    graph.dispose();
    t.throws(() => graph.replay(), {
      code: 'ERR_DISPOSED',
      message: 'replay: the recorded ops have been disposed of',
    });
  });

  test.serial(`${device} a recording keeps its inputs, and its memory from all others`, async (t) => {
    const {allocatedBytes} = memory(device);
    const x = full([1000], 1, on);
    const graph = captured([x], () => add(scale(x, 2), x));
    x.dispose();
    const others = Array.from({length: 10}, () => full([1000], 7, on));
    graph.replay();
    t.deepEqual(await graph.result.floats(), new Float32Array(1000).fill(3));
    for (const other of others) t.deepEqual(await other.floats(), new Float32Array(1000).fill(7));
    for (const other of others) other.dispose();
    graph.dispose();
    t.true(memory(device).allocatedBytes <= allocatedBytes, 'garbage of tests before may go');
  });

  test.serial(`${device} recorded ops tell their faults at each replay`, async (t) => {
    const [table, tokens] = [full([8, 2], 1, on), tensor([9], {dtype: 'int32', ...on})];
    const graph = captured([table, tokens], () => embedding(table, tokens));
    await t.notThrowsAsync(synchronize(device));
    for (let round = 0; round < 2; round++) {
      graph.replay();
      await t.throwsAsync(synchronize(device), {
        code: 'ERR_INDEX',
        message: 'embedding: token id 9 at position 0 must be below 8',
      });
    }
    await t.notThrowsAsync(synchronize(device));
    graph.dispose();
  });

  test.serial(
    `${device} recordings that share memory need that of the largest, and replay in turns`,
    async (t) => {
      const x = full([1 << 18], 1, on);
      const work = (factor: number) => () => scale(add(scale(x, factor), x), 2);
      emptyCache(device);
      const held = (): number => memory(device).allocatedBytes + memory(device).cachedBytes;
      const before = held();
      const first = captured([x], work(2));
      const alone = held() - before;
      const second = captured([x], work(3), {sharing: first});
      // What is shared is all but the result of each.
      t.true(held() - before <= alone + x.bytes, `${alone} bytes for one, ${held() - before} for two`);
      for (let round = 0; round < 2; round++) {
        first.replay();
        t.is((await first.result.floats()).at(-1), 6);
        second.replay();
        t.is((await second.result.floats()).at(-1), 8);
      }
      first.dispose();
      second.replay();
      t.is((await second.result.floats()).at(-1), 8);
      t.throws(() => captured([x], work(1), {sharing: first}), {
        code: 'ERR_DISPOSED',
        message: 'captured: the recorded ops have been disposed of',
      });
      second.dispose();
    },
  );

  test.serial(`${device} the last of a thousand recorded ops tells its fault`, async (t) => {
    const [table, good] = [full([8, 2], 1, on), tensor([7], {dtype: 'int32', ...on})];
    const wrong = tensor([8], {dtype: 'int32', ...on});
    const graph = captured([table, good, wrong], () => {
      for (let op = 1; op < 1000; op++) embedding(table, good);
      return embedding(table, wrong);
    });
    graph.replay();
    await t.throwsAsync(synchronize(device), {
      code: 'ERR_INDEX',
      message: 'embedding: token id 8 at position 0 must be below 8',
    });
    graph.dispose();
  });

  test.serial(`${device} what cannot be recorded is refused, and the device goes on`, async (t) => {
    const x = full([2], 1, on);
    t.throws(() => captured([x], () => tensor([1], on)), {
      code: 'ERR_ARGUMENT',
      message: 'tensor: not while ops are recorded',
    });
    t.throws(() => captured([x], () => captured([x], () => x)), {code: 'ERR_ARGUMENT'});
    t.throws(
      () =>
        captured([x], () => {
          throw new Error('own');
        }),
      {message: 'own'},
    );
    t.throws(() => captured([x, zeros([1])], () => x), {
      code: 'ERR_DEVICE',
      message: `captured: all inputs must be on one device; got ${device} and cpu`,
    });
    t.deepEqual([...(await add(x, x).floats())], [2, 2]);
  });
}

test('the CPU records nothing', (t) => {
  t.false(canCapture('cpu'));
  t.throws(() => captured([zeros([1])], () => undefined), {
    code: 'ERR_DEVICE',
    message: 'captured: the device cpu records no ops',
  });
});

test('without an input nothing is recorded', (t) => {
  t.throws(() => captured([], () => undefined), {
    code: 'ERR_ARGUMENT',
    message: 'captured: there must be an input',
  });
});
