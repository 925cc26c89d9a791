/** The configuration that the rest of crossmap reads: complete, checked, every file absolute. */
import type {ParsedConfig} from './schema.js';

type DeepReadonly<T> = T extends object ? {readonly [Key in keyof T]: DeepReadonly<T[Key]>} : T;

type Objectives = ParsedConfig['objectives'];
type Weighted<Section> = Omit<Section, 'weight'> & {weight: number};

interface Completed {
  name: string;
  output: string;
  model: Omit<ParsedConfig['model'], 'slidingWindow'> & {
    kvHeads: number;
    headDim: number;
    hiddenFeatures: number;
    slidingWindow?: {size: number; layers: number[]};
  };
  /** The recipe is resolved into the weights. */
  objectives: {
    next: Weighted<Objectives['next']>;
    mapping: Weighted<Objectives['mapping']>;
    contrastive: Omit<Weighted<Objectives['contrastive']>, 'layer'> & {layer: number[]};
  };
  training: ParsedConfig['training'] & {warmupSteps: number};
}

/**
 * A whole configuration. Written as JSON it is itself a valid configuration that reads back equal, so a run can be continued
 * from what it saved. The page "Options of a configuration" lists what is in it.
 */
export type Config = DeepReadonly<Omit<ParsedConfig, keyof Completed> & Completed>;

/** The languages of a configuration, sorted. */
export function configLanguages({data}: Pick<Config, 'data'>): string[] {
  const monolingual = (data.monolingual ?? []).map(({language}) => language);
  const parallel = (data.parallel ?? []).flatMap(({source, target}) => [source, target]);
  return [...new Set([...monolingual, ...parallel])].sort();
}
