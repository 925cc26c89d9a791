/** The corpora read again, with what the plan makes of each document and pair. */
import type {CorpusOptions} from '../corpus/corpora.js';
import type {Document} from '../corpus/documents.js';
import type {SentencePair} from '../corpus/pairs.js';
import type {PairPlan, TextPlan} from '../held-out/plan.js';

/** Some documents, those to train on without the sentences that occur in held-out text. */
interface DocumentBatch {
  readonly training: readonly Document[];
  readonly heldOut: readonly Document[];
}

/** Some pairs. */
interface PairBatch {
  readonly training: readonly SentencePair[];
  readonly heldOut: readonly SentencePair[];
}

/** All documents in the order of the files. */
export async function* walkDocuments(plan: TextPlan, options: CorpusOptions): AsyncGenerator<DocumentBatch> {
  let [document, sentence] = [0, 0];
  for await (const batch of plan.corpus.documents(options)) {
    const training: Document[] = [];
    const heldOut: Document[] = [];
    for (const sentences of batch) {
      if (plan.heldOut[document++] === 1) heldOut.push(sentences);
      else {
        const first = sentence;
        const kept = sentences.filter((_, i) => plan.leaks[first + i] !== 1);
        if (kept.length > 0) training.push(kept);
      }
      sentence += sentences.length;
    }
    yield {training, heldOut};
  }
}

/** All pairs that are kept or held out, in the order of the files. */
export async function* walkPairs(
  {corpus, fates}: PairPlan,
  options: CorpusOptions,
): AsyncGenerator<PairBatch> {
  let at = 0;
  for await (const batch of corpus.pairs(options)) {
    const first = at;
    at += batch.length;
    yield {
      training: batch.filter((_, i) => fates[first + i] === 'keep'),
      heldOut: batch.filter((_, i) => fates[first + i] === 'heldOut'),
    };
  }
}
