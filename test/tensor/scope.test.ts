/** Scopes: who frees what. */
import test from 'ava';
import {scope, zeros, type Tensor} from '../../lib/tensor/index.js';

test('a scope disposes of what was made inside and is not in its result', (t) => {
  const made: Tensor[] = [];
  const make = (): Tensor => {
    const each = zeros([1]);
    made.push(each);
    return each;
  };
  const kept = scope(() => {
    make();
    make();
    return make();
  });
  t.deepEqual(
    made.map((each) => each.isDisposed),
    [true, true, false],
  );
  t.is<Tensor | undefined, Tensor | undefined>(kept, made[2]);
});

test('a result may hold tensors in arrays and plain objects, however deep', (t) => {
  const results = scope(() => ({
    a: [zeros([1]), {b: zeros([2])}],
    c: 5,
    d: undefined,
    e: null,
    f: zeros([3]),
  }));
  const [first, {b}] = results.a as [Tensor, {b: Tensor}];
  t.deepEqual(
    [first, b, results.f].map((each) => each.isDisposed),
    [false, false, false],
  );
});

test('a tensor inside of an instance of a class is not looked for', (t) => {
  class Holder {
    readonly inside = zeros([1]);
  }
  t.true(scope(() => new Holder()).inside.isDisposed);
});

test('a scope leaves alone what was made outside', (t) => {
  const outside = zeros([1]);
  t.is(
    scope(() => outside),
    outside,
  );
  scope(() => outside.view([1]));
  t.false(outside.isDisposed);
});

test('what an inner scope returns belongs to the outer one', (t) => {
  let inner: Tensor | undefined;
  const outer = scope(() => {
    inner = scope(() => zeros([1]));
    return scope(() => zeros([2]));
  });
  t.true(inner?.isDisposed);
  t.false(outer.isDisposed);
});

test('a scope that fails disposes of everything, and hands the error on', (t) => {
  let inside: Tensor | undefined;
  const error = t.throws(() =>
    scope(() => {
      inside = zeros([1]);
      throw new RangeError('no');
    }),
  );
  t.true(error instanceof RangeError);
  t.true(inside?.isDisposed);
});

test('after a scope that failed, tensors belong to nobody again', (t) => {
  t.throws(() =>
    scope(() => {
      throw new Error('no');
    }),
  );
  t.false(zeros([1]).isDisposed);
});

test('a scope refuses asynchronous work, and disposes of what it has made', async (t) => {
  let inside: Tensor | undefined;
  t.throws(
    () =>
      scope(async () => {
        inside = zeros([1]);
        await Promise.resolve();
      }),
    {
      code: 'ERR_ARGUMENT',
      message: 'scope: work must not be asynchronous; await its result outside',
    },
  );
  await Promise.resolve();
  t.true(inside?.isDisposed);
});

test('what was disposed of inside is no hindrance', (t) => {
  const kept = scope(() => {
    const gone = zeros([1]);
    gone.dispose();
    return [gone];
  });
  t.true(kept[0]?.isDisposed);
});
