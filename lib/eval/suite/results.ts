/** What a suite yields: plain JSON values. */
import type {Interval} from '../bootstrap.js';
import type {PairAlignment} from '../results.js';

/** What the results of all tasks have. */
interface Common {
  readonly name: string;
  readonly seconds: number;
}

export interface PerplexityResult extends Common {
  readonly type: 'perplexity';
  readonly language: string;
  readonly documents: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly natsPerToken: number;
  readonly perplexity: number;
  readonly bitsPerByte: number;
  /** 95 % of `bitsPerByte`, documents drawn again. */
  readonly interval: Interval;
}

export interface TranslationResult extends Common {
  readonly type: 'translation';
  readonly source: string;
  readonly target: string;
  readonly sentences: number;
  /** Sentences that leave no room for a translation: they count as translated by nothing. */
  readonly tooLong: number;
  readonly scores: readonly {
    /** `BLEU`, `chrF2`, `chrF2++` */
    readonly name: string;
    readonly score: number;
    readonly signature: string;
    /** Half the width of the central 95 %, sentences drawn again. */
    readonly halfWidth: number;
  }[];
  /** [sentences] */
  readonly outputs: readonly string[];
}

export interface ChoiceResult extends Common {
  readonly type: 'choice';
  readonly language: string;
  readonly items: number;
  readonly acc: number;
  readonly accNorm: number;
  readonly accBytes: number;
  readonly chance: number;
  /** 95 % of `acc`, items drawn again. */
  readonly interval: Interval;
}

export interface TranslationChoiceResult extends Common {
  readonly type: 'translationChoice';
  readonly source: string;
  readonly target: string;
  readonly items: number;
  readonly acc: number;
  readonly chance: number;
  readonly interval: Interval;
}

export interface AlignmentResult extends Common {
  readonly type: 'alignment';
  readonly alignment: PairAlignment;
}

export interface QuestionsResult extends Common {
  readonly type: 'questions';
  readonly language: string;
  readonly items: number;
  /** Means over the questions, 0 to 1. */
  readonly exactMatch: number;
  readonly f1: number;
  readonly f1Characters: number;
  /** 95 % of `f1`, questions drawn again. */
  readonly interval: Interval;
}

/** What one task found. */
export type TaskResult =
  | PerplexityResult
  | TranslationResult
  | ChoiceResult
  | TranslationChoiceResult
  | AlignmentResult
  | QuestionsResult;
