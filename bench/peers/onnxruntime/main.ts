/** onnxruntime-node as a peer: models of one op, float32. */
import {randomValues} from '../../../lib/bench/random-values.js';
import type {CaseOf, WorkCase} from '../../duels/work-case.js';
import {loadInstalled} from '../installed.js';
import {serve, type PeerWork} from '../serve.js';
import {modelOf, type OnnxOp} from './model.js';

/** What we use of the package. */
interface Onnxruntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<Session>;
  };
  readonly Tensor: new (dtype: string, values: Float32Array | Int32Array, shape: readonly number[]) => object;
}

interface Session {
  run(
    inputs: Readonly<Record<string, object>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, {data: Float32Array}>>>;
  release(): Promise<void>;
}

/** An op, the values of its inputs, and what our side calls its first output. */
interface OneOp extends OnnxOp {
  readonly values: Readonly<Record<string, Float32Array | Int32Array>>;
  readonly result: string;
}

const ops: Partial<Record<WorkCase['kind'], string>> = {matmul: 'MatMul', attention: 'GroupQueryAttention'};

await serve((threads = 1) => {
  const {library, version} = loadInstalled<Onnxruntime>('onnxruntime-node');
  return {
    name: 'onnxruntime-node',
    version,
    threads,
    variants: ({kind, pass, dtype}) => {
      const op = ops[kind];
      return op !== undefined && pass === 'forward' && dtype === 'float32' ? [op] : [];
    },
    prepare: (work) => openSession(library, opOf(work), threads),
  };
});

function opOf(work: WorkCase): OneOp {
  if (work.kind === 'matmul') return matmul(work);
  if (work.kind === 'attention') return groupQueryAttention(work);
  throw new Error(`${work.kind} has no op here`);
}

async function openSession(
  {InferenceSession, Tensor}: Onnxruntime,
  op: OneOp,
  threads: number,
): Promise<PeerWork> {
  const session = await InferenceSession.create(modelOf(op), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const inputs = Object.fromEntries(
    op.inputs.flatMap((input) => {
      if (input === undefined) return [];
      const {name, dtype, shape} = input;
      const values = op.values[name];
      return values === undefined ? [] : [[name, new Tensor(dtype, values, shape)]];
    }),
  );
  const [{name: output} = {name: ''}] = op.outputs;
  return {
    run: () => session.run(inputs, [output]),
    results: async () => ({
      [op.result]: (await session.run(inputs, [output]))[output]?.data ?? new Float32Array(),
    }),
    dispose: () => session.release(),
  };
}

function matmul({m, n, k}: CaseOf<'matmul'>): OneOp {
  return {
    op: 'MatMul',
    inputs: [
      {name: 'a', dtype: 'float32', shape: [m, k]},
      {name: 'b', dtype: 'float32', shape: [k, n]},
    ],
    outputs: [{name: 'y', dtype: 'float32', shape: [m, n]}],
    values: {a: randomValues(m * k, {seed: 1}), b: randomValues(k * n, {seed: 2})},
    result: 'y',
  };
}

/**
 * Attention over one causal segment, with no keys and values of the past. Those of the present are copies that nobody reads here, but a
 * model without them has all scores in memory, at half as much time again. Heads stand beside each other in a token, as ours do.
 *
 * @see github.com/microsoft/onnxruntime, docs/ContribOperators.md
 */
function groupQueryAttention({tokens, heads, headDim}: CaseOf<'attention'>): OneOp {
  const shape = [1, tokens, heads * headDim];
  const cache = [1, heads, tokens, headDim];
  const values = (seed: number): Float32Array => randomValues(tokens * heads * headDim, {seed});
  return {
    op: 'GroupQueryAttention',
    domain: 'com.microsoft',
    integers: {num_heads: heads, kv_num_heads: heads},
    inputs: [
      {name: 'query', dtype: 'float32', shape},
      {name: 'key', dtype: 'float32', shape},
      {name: 'value', dtype: 'float32', shape},
      undefined, // past_key
      undefined, // past_value
      {name: 'seqlens_k', dtype: 'int32', shape: [1]},
      {name: 'total_sequence_length', dtype: 'int32', shape: [1]},
    ],
    outputs: [
      {name: 'output', dtype: 'float32', shape},
      {name: 'present_key', dtype: 'float32', shape: cache},
      {name: 'present_value', dtype: 'float32', shape: cache},
    ],
    values: {
      query: values(1),
      key: values(2),
      value: values(3),
      seqlens_k: Int32Array.of(tokens - 1), // by the op's definition one less than the keys
      total_sequence_length: Int32Array.of(tokens),
    },
    result: 'out',
  };
}
