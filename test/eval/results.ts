/** Results of a suite by hand, in which a run is better the more it has of `skill`. */
import {
  bleu,
  chrf,
  corpusScore,
  suiteResults,
  type SuiteResults,
  type TaskResult,
} from '../../lib/eval/index.js';
import {createRandom} from '../../lib/eval/random.js';

const common = {items: 'same', count: 60, seconds: 1};

/** @param skill 0 to 0.5 */
export function results(run: string, seed: number, skill: number): SuiteResults {
  const random = createRandom(seed);
  const items = Array.from({length: 60}, () => random.uniform());
  const correct = items.map((value) => value < 0.5 + skill);
  const references = items.map((_, i) => `the dog bit a man ${i} times in the park`);
  const outputs = references.map((text, i) =>
    (items[i] ?? 0) < 0.5 + skill ? text : text.replace('bit a man', 'sat'),
  );
  const translated = outputs.map((hypothesis, i) => ({hypothesis, references: [references[i] ?? '']}));
  const textScores = (['bleu', 'chrf'] as const).map((metric) => {
    const {name, score, signature} = corpusScore<{
      name: string;
      score: number;
      signature: string;
      text: string;
    }>(metric === 'bleu' ? bleu() : chrf(), translated);
    return {metric, name, score, signature, halfWidth: 1};
  });
  const values = items.map((value) => Math.min(1, 0.5 * value + skill));
  const scores = [
    ...textScores,
    {
      metric: 'bertscore',
      name: 'BERTScore F1',
      score: values.reduce((sum, value) => sum + value, 0) / 60,
      signature: 'waves_L3_no-idf_version=crossmap-0.1',
      halfWidth: 0.1,
      values,
    } as const,
  ];
  const lac = 0.2 + skill;
  const lacByLayer = [0, lac - 0.05, lac + 0.05];
  const acc = correct.filter(Boolean).length / 60;
  const f1s = items.map((value) => Math.min(1, value + skill));
  const documents = items.map((value): [number, number] => [100 * (2.5 - skill + 0.2 * value), 100]);
  const tasks: TaskResult[] = [
    {
      type: 'perplexity',
      name: 'text',
      ...common,
      language: 'cs',
      tokens: 1000,
      bytes: 6000,
      natsPerToken: 3,
      perplexity: 20,
      bitsPerByte: documents.reduce((sum, [bits]) => sum + bits, 0) / 6000,
      interval: [2, 3],
      documents,
    },
    {
      type: 'translation',
      name: 'news',
      ...common,
      source: 'en',
      target: 'cs',
      tooLong: 0,
      scores,
      tokenizer: '13a',
      outputs,
      references,
    },
    {
      type: 'translationChoice',
      name: 'pick',
      ...common,
      source: 'en',
      target: 'cs',
      acc,
      chance: 0.5,
      interval: [0, 1],
      correct,
    },
    {
      type: 'alignment',
      name: 'lac',
      ...common,
      alignment: {
        source: 'en',
        target: 'cs',
        pairs: 60,
        lacByLayer,
        intervalByLayer: lacByLayer.map((value) => [value - 0.1, value + 0.1]),
        closenessByLayer: lacByLayer,
        retrievalByLayer: lacByLayer,
        lac,
        interval: [lac - 0.1, lac + 0.1],
        peak: lac,
        precisionAt1: lacByLayer.map(() => [0.5, 0.5]),
        marginErrorByLayer: lacByLayer.map(() => [0.5, 0.5]),
        mexaByLayer: lacByLayer,
        meanCosineByLayer: lacByLayer,
        ckaByLayer: lacByLayer,
        flags: ['fewPairs'],
      },
      seed: 0,
      draws: Array.from({length: 200}, (_, i) => lac + 0.05 * Math.sin(i)),
      retrieval: {
        precisionAt1: acc,
        precisionInterval: [0, 1],
        marginError: 1 - acc,
        marginInterval: [0, 1],
        precisions: correct.map(Number),
        errors: correct.map((each) => 1 - Number(each)),
      },
    },
    {
      type: 'questions',
      name: 'quiz',
      ...common,
      language: 'cs',
      exactMatch: acc,
      f1: f1s.reduce((sum, value) => sum + value, 0) / 60,
      f1Characters: 0,
      interval: [0, 1],
      f1s,
      exactMatchInterval: [0, 1],
      exactMatches: correct,
    },
  ];
  return suiteResults({
    run,
    seed,
    step: 100,
    model: `runs/${run}`,
    suite: 'suite.yaml',
    draws: {draws: 200, seed: 0},
    tasks,
  });
}
