/** What random calls have found at the boundary of the addon, one case each. */
import path from 'node:path';
import test from 'ava';
import {native, type NativeTensor} from '../../lib/native.js';
import {tensor} from '../../lib/tensor/index.js';

const float = (shape: readonly number[]): NativeTensor => native.fill(shape, 'float32', 'cpu', 1);

const spans = (): NativeTensor => native.fill([2], 'int32', 'cpu', 0);

test('a getter of a handle refuses a receiver that is none', (t) => {
  const prototype: unknown = Object.getPrototypeOf(float([2]));
  for (const name of ['shape', 'dtype', 'device', 'isDisposed', 'isShared']) {
    const {get} = Object.getOwnPropertyDescriptor(prototype, name)!;
    for (const receiver of [{}, prototype, Object.create(float([2])), undefined])
      t.throws(() => Reflect.apply(get!, receiver, []), {
        code: 'ERR_ARGUMENT',
        message: `${name}: the receiver must be a tensor`,
      });
  }
});

test('shared memory and buffers that change their length are refused with a code', (t) => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  const resizable = new Float32Array(Reflect.construct(ArrayBuffer, [8, {maxByteLength: 64}]) as ArrayBuffer);
  t.throws(() => native.fromArray(shared, [2], 'float32', 'cpu'), {
    code: 'ERR_ARGUMENT',
    message: /is not shared$/,
  });
  t.throws(() => native.copyTo(float([2]), shared), {code: 'ERR_ARGUMENT', message: /is not shared$/});
  t.throws(() => native.adoptArray(resizable, [2], 'float32'), {
    code: 'ERR_ARGUMENT',
    message: /has a fixed length$/,
  });
  t.throws(() => native.copyTo(float([2]), resizable), {
    code: 'ERR_ARGUMENT',
    message: /has a fixed length$/,
  });
  t.notThrows(() => native.fromArray(resizable, [2], 'float32', 'cpu').dispose());
});

test('an array whose memory a getter of the shape takes away is not read', (t) => {
  for (const make of [
    (data: Float32Array, shape: number[]) => native.fromArray(data, shape, 'float32', 'cpu'),
    (data: Float32Array, shape: number[]) => native.adoptArray(data, shape, 'float32'),
  ]) {
    const data = new Float32Array(1000);
    const shape = Object.defineProperty([0], 0, {
      get: () => {
        structuredClone(data.buffer, {transfer: [data.buffer]});
        return 1000;
      },
    });
    t.throws(() => make(data, shape), {code: 'ERR_SHAPE', message: /takes 4000 bytes; the array has 0$/});
  }
});

test('an array of four thousand million holes is refused before memory is reserved for it', (t) => {
  const sparse: number[] = [];
  sparse.length = 2 ** 32 - 1;
  const message = 'fill: argument 1 must have at most 1048576 items; got 4294967295';
  t.throws(() => native.fill(sparse, 'float32', 'cpu', 0), {code: 'ERR_ARGUMENT', message});
  const axes = 'reshape: a shape has at most 64 axes; got 4294967295';
  t.throws(() => tensor([1, 2]).view(sparse), {code: 'ERR_SHAPE', message: axes});
  const nested: unknown[] = [sparse, 4];
  const told = 'reshape: [object, 4] must have the 2 elements of [2]';
  t.throws(() => tensor([1, 2]).view(nested as number[]), {code: 'ERR_SHAPE', message: told});
});

test('an array that holds itself is no tensor', (t) => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  t.throws(() => tensor(cyclic as never), {
    code: 'ERR_SHAPE',
    message: /in arrays of equal length at each depth$/,
  });
});

test('a path with a null character is not cut there', (t) => {
  const file = path.join(import.meta.dirname, 'boundary.test.js');
  t.throws(() => native.mapFile(`${file}\0.txt`), {
    code: 'ERR_ARGUMENT',
    message: 'mapFile: path must have no null character',
  });
});

test('poolBackward checks what it is given', (t) => {
  const call = (pooled: NativeTensor, norms: NativeTensor, starts: NativeTensor, tokens = 3): unknown =>
    native.poolBackward(pooled, pooled, norms, starts, starts, 'mean', tokens, 'float32');
  t.throws(() => call(spans(), float([0]), spans()), {
    code: 'ERR_SHAPE',
    message: /pooled must have 2 axes; got \[2\]$/,
  });
  t.throws(() => call(native.fill([2, 3], 'int32', 'cpu', 0), float([0]), spans()), {
    code: 'ERR_DTYPE',
    message: /pooled must be float32/,
  });
  t.throws(() => call(float([2, 3]), float([1]), spans()), {
    code: 'ERR_SHAPE',
    message: /inverseNorms must be \[2\] to match pooled, or \[0\]; got \[1\]$/,
  });
  t.throws(() => call(float([2, 3]), float([0]), float([2])), {
    code: 'ERR_DTYPE',
    message: /starts must be int32/,
  });
  t.throws(() => call(float([5, 3]), float([0]), spans()), {
    code: 'ERR_SHAPE',
    message: /starts must be \[5\]/,
  });
  t.throws(() => call(float([2, 3]), float([0]), spans(), -1), {
    code: 'ERR_ARGUMENT',
    message: /tokens must be 0 or more/,
  });
});

test('contrastiveBackward checks what it is given', (t) => {
  const options = {margin: 0, groupMode: 'mask', scope: 'cross', oneDirectional: false} as const;
  const wanted = {x: true, y: true, theta: false, negatives: false};
  const call = (y: NativeTensor, statistics: NativeTensor, norms: NativeTensor): unknown =>
    native.contrastiveBackward(float([]), float([4, 3]), y, statistics, norms, options, wanted);
  t.throws(() => call(float([]), float([6, 4]), float([8])), {
    code: 'ERR_SHAPE',
    message: /y must be \[4, 3\] to match x/,
  });
  t.throws(() => call(float([4, 3]), float([6, 3]), float([8])), {
    code: 'ERR_SHAPE',
    message: /statistics must be \[6, 4\]/,
  });
  t.throws(() => call(float([4, 3]), float([6, 4]), float([7])), {
    code: 'ERR_SHAPE',
    message: /inverseNorms must be \[8\]/,
  });
  t.throws(() => call(float([4, 3]), native.fill([6, 4], 'int32', 'cpu', 0), float([8])), {
    code: 'ERR_DTYPE',
    message: /statistics must be float32/,
  });
});

test('a tensor takes over no array whose memory is gone, before or while its shape is read', (t) => {
  const gone = new Float32Array(2);
  structuredClone(gone.buffer, {transfer: [gone.buffer]});
  t.throws(() => tensor(gone, {shape: [0], transfer: true}), {
    code: 'ERR_ARGUMENT',
    message: 'tensor: transfer needs a typed array whose memory has not gone elsewhere',
  });
  const going = new Float32Array(2);
  const shape = Object.defineProperty([0], 0, {
    get: () => {
      if (going.length > 0) structuredClone(going.buffer, {transfer: [going.buffer]});
      return 2;
    },
  });
  t.throws(() => tensor(going, {shape, transfer: true}), {
    code: 'ERR_SHAPE',
    message: 'tensor: [2] must have the 0 elements of the array',
  });
});

test('a shape of another kind of array is told by the types of its sizes', (t) => {
  t.throws(() => tensor([1, 2]).view(new BigUint64Array(2) as never), {
    code: 'ERR_SHAPE',
    message: 'reshape: [bigint, bigint] must have the 2 elements of [2]',
  });
});

test('nothing visits tokens or heads without features, however many there are', async (t) => {
  const none = float([2, 0]);
  const dHidden = native.poolBackward(none, none, float([0]), spans(), spans(), 'mean', 2 ** 40, 'float32');
  const heads = float([2, 2 ** 40, 0]);
  const turned = native.rotary(heads, spans(), float([0]), 1);
  const turnedBack = native.rotaryBackward(heads, spans(), float([0]), 1);
  await native.synchronize('cpu');
  t.deepEqual(dHidden.shape, [2 ** 40, 0]);
  t.deepEqual([turned.shape, turnedBack.shape], [heads.shape, heads.shape]);
});

test('linearCrossEntropyBackward refuses a dtype that holds no gradient', (t) => {
  t.throws(() => native.linearCrossEntropyBackward(float([]), float([2, 2]), 'int64'), {
    code: 'ERR_DTYPE',
    message: 'linearCrossEntropyBackward: dtype must be float32, bfloat16 or float16; got int64',
  });
});

test('the gradient of a maximum goes nowhere where the index is that of no element', async (t) => {
  const indices = native.fromArray(BigInt64Array.of(1n, -1n, 2n ** 53n), [3], 'int64', 'cpu');
  const dx = native.reduceMaxBackward(float([3]), indices, [3, 2], 'last');
  const read = new Float32Array(6);
  await native.copyTo(dx, read);
  t.deepEqual([...read], [0, 1, 0, 0, 0, 0]);
});
