/** The report of prepared data: what the manifest counted, and how a configuration will mix it. */
import type {Config} from '../../config/index.js';
import type {HeldOutText} from '../held-out/held-out.js';
import type {DataReport, LanguageReport, PairReport} from '../report.js';
import type {Mixture, TrainingShards} from '../sampling/mixture.js';
import type {Tokenizer} from '../tokenizer/tokenizer.js';
import type {Manifest, ManifestPair, ManifestText} from './manifest.js';

/** What a report is made from. */
interface Described {
  readonly manifest: Manifest;
  readonly shards: TrainingShards;
  readonly heldOutTexts: readonly HeldOutText[];
  readonly mixture: Mixture;
  readonly tokenizer: Tokenizer;
  readonly config: Config;
}

/** Fewest pairs on which alignment is measured at all. */
const fewestPairs = 8;

/** The report. */
export function describeData(described: Described): DataReport {
  const {manifest, mixture, tokenizer} = described;
  const languages = manifest.texts.map((text) => describeText(text, described));
  const pairs = manifest.pairs.map((pair, index) => describePair(pair, index, mixture));
  return {
    languages,
    pairs,
    tokenizer: {vocabSize: tokenizer.vocabSize, trained: manifest.tokenizerTrained},
    plan: {tokens: mixture.tokens, mappingShare: mixture.mappingShare},
    warnings: [...warnings({languages, pairs}, described)],
  };
}

function describeText(text: ManifestText, {shards, heldOutTexts, mixture}: Described): LanguageReport {
  const {language, read, dropped, examples, fertility, bytesPerToken, tokensPerCharacter} = text;
  const index = shards.texts.findIndex((shard) => shard.language === language);
  const heldOut = heldOutTexts.find((each) => each.language === language)?.shard;
  const training = mixture.plannedTexts[index];
  return {
    language,
    read,
    dropped,
    examples,
    heldOut: {documents: heldOut?.texts ?? 0, tokens: heldOut?.tokens ?? 0, bytes: heldOut?.bytes ?? 0},
    training: training?.size ?? {segments: 0, tokens: 0, bytes: 0},
    share: training?.share ?? 0,
    epochs: training?.epochs ?? 0,
    fertility,
    bytesPerToken,
    ...(tokensPerCharacter !== undefined && {tokensPerCharacter}),
  };
}

function describePair(pair: ManifestPair, index: number, {plannedPairs}: Mixture): PairReport {
  const {source, target, name, read, dropped, examples, heldOut} = pair;
  const {size = {segments: 0, tokens: 0, bytes: 0}, share = 0, epochs = 0} = plannedPairs[index] ?? {};
  return {source, target, name, read, dropped, examples, heldOut, training: size, share, epochs};
}

function* warnings(
  {languages, pairs}: Pick<DataReport, 'languages' | 'pairs'>,
  {mixture, tokenizer, manifest, config}: Described,
): Generator<string> {
  const {heldOut, maxEpochs} = config.data;
  const {vocabSize} = config.tokenizer;
  if (manifest.tokenizerTrained && tokenizer.vocabSize < vocabSize)
    yield `The text yields a vocabulary of ${tokenizer.vocabSize} entries; tokenizer.vocabSize asks for ${vocabSize}.`;
  for (const {language, read, heldOut: out} of languages)
    if (heldOut.documentShare > 0 && read.documents > 0 && out.documents === 0)
      yield `No text of ${language} is held out: it is one document. Its perplexity is not measured.`;
  const keys = pairs.map(({source, target}) => [source, target].sort().join(' '));
  for (const [index, {source, target, heldOut: out}] of pairs.entries()) {
    if (out >= heldOut.pairs || keys.indexOf(keys[index] ?? '') < index) continue;
    const measured = out < fewestPairs ? ', too few to measure alignment' : '';
    yield `Of ${source}-${target} ${out} pairs are held out instead of ${heldOut.pairs}, for at most half of the pairs are${measured}.`;
  }
  const times = (corpora: readonly {readonly epochs: number}[]): string =>
    `up to ${Number(Math.max(...corpora.map(({epochs}) => epochs)).toPrecision(2))} times, with data.maxEpochs ${maxEpochs}`;
  if (mixture.exhausted.texts)
    yield `There is little text: training goes through it ${times(languages)}. More text would help.`;
  if (mixture.exhausted.pairs)
    yield `There are few pairs: training goes through them ${times(pairs)}. More pairs would help.`;
}
