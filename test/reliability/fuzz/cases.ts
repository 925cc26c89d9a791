/** Tensors and options that fit each other, for the native functions and for the ops of the library alike. */
import type {NativeDType, NativeTensor} from '../../../lib/native.js';
import type {Make} from './make.js';

/** Packed segments, now and then with keys of their own. */
export function attentionCase(make: Make) {
  const [tokens, kvHeads, headDim, segments] = [
    make.size(),
    make.whole(1, 2),
    2 * make.whole(1, 8),
    make.whole(1, 3),
  ];
  const heads = kvHeads * make.whole(1, 2);
  const dtype = make.floatDType();
  const starts = make.starts(segments, tokens);
  const ownKeys = make.chance(0.3);
  const keyTokens = ownKeys ? make.size(12) : tokens;
  const keyStarts = ownKeys ? make.starts(segments, keyTokens) : starts;
  const lengths = keyStarts.slice(1).map((end, s) => end - keyStarts[s]!);
  return {
    heads,
    q: make.float([tokens, heads, headDim], dtype),
    k: make.float([keyTokens, kvHeads, headDim], dtype),
    v: make.float([keyTokens, kvHeads, headDim], dtype),
    starts: make.int32(starts),
    options: {
      mask: make.pick(['causal', 'none'] as const),
      window: make.maybe(() => make.whole(1, 9)),
      scale: make.maybe(() => 0.1 + make.uniform()),
      softcap: make.maybe(() => 1 + 20 * make.uniform()),
      keyStarts: ownKeys ? make.int32(keyStarts) : undefined,
      prefixLengths: make.maybe(() => make.int32(lengths.map((length) => make.whole(0, length)))),
      sinks: make.maybe(() => make.float([heads])),
    },
  };
}

/** Pairs with some of the options. */
export function contrastiveCase(make: Make) {
  const [pairs, features, dtype] = [make.whole(1, 9), make.size(), make.floatDType()];
  const negatives = make.size(5);
  return {
    x: make.float([pairs, features], dtype),
    y: make.float([pairs, features], dtype),
    options: {
      temperature: 0.05 + make.uniform(),
      margin: make.uniform() / 4,
      groupMode: make.pick(['mask', 'positives', 'none'] as const),
      scope: make.pick(['cross', 'both'] as const),
      oneDirectional: make.chance(0.3),
      ...(make.chance(0.3) && {theta: make.float([])}),
      ...(make.chance(0.3) && {threshold: make.uniform()}),
      ...(make.chance(0.5) && {groups: make.int32(Array.from({length: pairs}, () => make.whole(-1, 4)))}),
      ...(make.chance(0.3) && {negatives: make.float([negatives, features], dtype)}),
      ...(make.chance(0.3) && {weights: make.filled([pairs], 0.5)}),
    },
  };
}

/** Arguments of the native function in order. */
export function crossEntropyCase(make: Make) {
  const [tokens, features, vocab, dtype] = [
    make.size(),
    make.whole(1, 9),
    make.whole(1, 40),
    make.floatDType(),
  ];
  const options = {
    weights: make.maybe(() => make.filled([tokens], 0.5)),
    ignoreIndex: make.pick([undefined, -1, 0]),
    labelSmoothing: make.maybe(() => make.uniform() / 2),
    zLoss: make.maybe(() => make.uniform()),
    softcap: make.maybe(() => 1 + 20 * make.uniform()),
    normalizer: make.maybe(() => 1 + make.uniform()),
    logProbabilities: make.chance(0.5),
    wantsHidden: make.chance(0.5),
    wantsWeight: make.chance(0.5),
  };
  const targets = Array.from({length: tokens}, () => make.whole(-1, vocab - 1));
  return [
    make.float([tokens, features], dtype),
    make.float([vocab, features], dtype),
    make.int32(targets),
    options,
  ] as const;
}

/** Spans within the tokens. */
export function poolCase(make: Make) {
  const [tokens, pairs] = [make.size(), make.size()];
  const spans = Array.from({length: pairs}, () =>
    [make.whole(0, tokens), make.whole(0, tokens)].sort((a, b) => a - b),
  );
  return {
    tokens,
    hidden: make.float([tokens, make.size()], make.floatDType()),
    starts: make.int32(spans.map(([start]) => start!)),
    ends: make.int32(spans.map(([, end]) => end!)),
    pooling: make.pick(['mean', 'last', 'weighted'] as const),
    normalize: make.chance(0.5),
  };
}

/** Arguments of the native function in order. */
export function rotaryCase(make: Make): [NativeTensor, NativeTensor, NativeTensor, number] {
  const [tokens, half] = [make.size(), make.whole(1, 8)];
  const positions = Array.from({length: tokens}, () => make.whole(0, 4000));
  const x = make.float([tokens, make.whole(1, 3), 2 * half], make.floatDType());
  return [x, make.int32(positions), make.float([half]), make.pick([1, 0.5])];
}

/** A step over a few parameters. */
export function adamwCase(make: Make) {
  const shapes = Array.from({length: make.whole(0, 3)}, () => [make.size(), make.size()]);
  const kinds = shapes.map(() => make.floatDType());
  const like = (): NativeTensor[] => shapes.map((shape) => make.float(shape));
  return {
    parameters: shapes.map((shape, i) => make.float(shape, kinds[i])),
    gradients: like(),
    masters: shapes.map((shape, i) => (kinds[i] === 'float32' ? undefined : make.float(shape))),
    firstMoments: like(),
    secondMoments: shapes.map((shape) => make.filled(shape, 0.1)),
    weightDecays: shapes.map(() => make.uniform()),
    learningRate: make.uniform(),
    beta1: make.uniform() * 0.99,
    beta2: make.uniform() * 0.99,
    eps: 1e-8,
    step: make.whole(1, 100),
    gradientScale: make.maybe(() => make.float([])),
  };
}

/** Rows to be normalised, and a weight. */
export function normCase(make: Make): {
  x: NativeTensor;
  weight: NativeTensor;
  tokens: number;
  shape: number[];
  dtype: NativeDType;
} {
  const [tokens, features, dtype] = [make.size(), make.whole(1, 40), make.floatDType()];
  const shape = [tokens, features];
  return {x: make.float(shape, dtype), weight: make.float([features], dtype), tokens, shape, dtype};
}

/** Two operands, the second in one of the shapes that are repeated. */
export function binaryCase(make: Make): {
  a: NativeTensor;
  b: NativeTensor;
  shape: number[];
  dtype: NativeDType;
} {
  const [shape, dtype] = [[make.size(), make.size()], make.floatDType()];
  const b = make.pick([shape, shape.slice(1), []]);
  return {a: make.float(shape, dtype), b: make.float(b, dtype), shape, dtype};
}
