/** What we and a peer both do, in numbers: the peers get the same case as a line of JSON. */
import type {FloatDType} from '../../lib/tensor/index.js';

interface Sizes {
  readonly pass: 'both' | 'forward' | 'step';
  readonly dtype: FloatDType;
}

type Case<Kind extends string, Names extends string> = Sizes & {readonly kind: Kind} & Readonly<
    Record<Names, number>
  >;

/** A piece of work, by its sizes. */
export type WorkCase =
  | Case<'adamw', 'weights'>
  | Case<'attention', 'headDim' | 'heads' | 'tokens'>
  | Case<'contrastive', 'features' | 'pairs'>
  | Case<'linearCrossEntropy', 'features' | 'tokens' | 'vocab'>
  | Case<'matmul', 'k' | 'm' | 'n'>
  | Case<'rmsNorm', 'features' | 'tokens'>
  | Case<'trainingStep', 'features' | 'heads' | 'hiddenFeatures' | 'layers' | 'segment' | 'tokens' | 'vocab'>;

/** The case of one kind. */
export type CaseOf<Kind extends WorkCase['kind']> = Extract<WorkCase, {kind: Kind}>;

/** `attention both, tokens 8192, heads 16, headDim 64, bfloat16` */
export function titleOf({kind, pass, dtype, ...sizes}: WorkCase): string {
  const parts = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  return [`${kind} ${pass}`, ...parts, dtype].join(', ');
}

/** Bytes of the scores or logits in float32 that the fused ops avoid; undefined where nothing is avoided. */
export function materializedBytesOf(work: WorkCase): number | undefined {
  switch (work.kind) {
    case 'attention':
      return 4 * work.heads * work.tokens ** 2;
    case 'contrastive':
      return 4 * work.pairs ** 2;
    case 'linearCrossEntropy':
      return 4 * work.tokens * work.vocab;
    case 'adamw':
    case 'matmul':
    case 'rmsNorm':
    case 'trainingStep':
      break;
  }
  return undefined;
}
