/** The corpora read again, with what the plan makes of each document and pair. */
import type {CorpusOptions} from '../corpus/corpora.js';
import type {Document} from '../corpus/documents.js';
import type {DocumentFate, PairFate} from '../corpus/filter.js';
import type {SentencePair} from '../corpus/pairs.js';
import type {PairPlan, TextPlan} from '../held-out/plan.js';

/** What is left out, and why. */
interface LeftOut<Fate, Item> {
  readonly reason: Fate;
  readonly item: Item;
}

type DroppedDocument = LeftOut<Exclude<DocumentFate, 'keep' | 'heldOut'> | 'heldOutSentence', Document>;
type DroppedPair = LeftOut<Exclude<PairFate, 'keep' | 'heldOut'>, SentencePair>;

/** Some documents, those to train on without the sentences that occur in held-out text. */
interface DocumentBatch {
  readonly training: readonly Document[];
  readonly heldOut: readonly Document[];
  /** Whole documents, and sentences one by one. */
  readonly dropped: readonly DroppedDocument[];
}

/** Some pairs. */
interface PairBatch {
  readonly training: readonly SentencePair[];
  readonly heldOut: readonly SentencePair[];
  readonly dropped: readonly DroppedPair[];
}

/** All documents in the order of the files. */
export async function* walkDocuments(plan: TextPlan, options: CorpusOptions): AsyncGenerator<DocumentBatch> {
  let [document, sentence] = [0, 0];
  for await (const batch of plan.corpus.documents(options)) {
    const training: Document[] = [];
    const heldOut: Document[] = [];
    const dropped: DroppedDocument[] = [];
    for (const sentences of batch) {
      const fate = plan.fates.at(document++);
      const first = sentence;
      sentence += sentences.length;
      if (fate === 'heldOut') heldOut.push(sentences);
      else if (fate !== 'keep') dropped.push({reason: fate, item: sentences});
      else {
        const kept = sentences.filter((_, i) => plan.leaks[first + i] !== 1);
        if (kept.length > 0) training.push(kept);
        for (const [i, text] of sentences.entries())
          if (plan.leaks[first + i] === 1) dropped.push({reason: 'heldOutSentence', item: [text]});
      }
    }
    yield {training, heldOut, dropped};
  }
}

/** All pairs, in the order of the files. */
export async function* walkPairs(
  {corpus, fates}: PairPlan,
  options: CorpusOptions,
): AsyncGenerator<PairBatch> {
  let at = 0;
  for await (const batch of corpus.pairs(options)) {
    const first = at;
    at += batch.length;
    yield {
      training: batch.filter((_, i) => fates.at(first + i) === 'keep'),
      heldOut: batch.filter((_, i) => fates.at(first + i) === 'heldOut'),
      dropped: batch.flatMap((item, i) => {
        const reason = fates.at(first + i);
        return reason === 'keep' || reason === 'heldOut' ? [] : [{reason, item}];
      }),
    };
  }
}
