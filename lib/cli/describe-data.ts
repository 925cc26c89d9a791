/** What became of the text, as tables. A reason that left nothing out has no column. */
import type {DataReport, LanguageReport, PairReport} from '../data/index.js';
import {bytes, count, fixed} from './format.js';
import {table} from './table.js';

/** Reasons for leaving text out, as headings name them. */
const reasons = {
  empty: 'empty',
  identical: 'identical',
  ratio: 'length',
  script: 'script',
  duplicate: 'twice',
  nearDuplicate: 'nearly twice',
  heldOutSentence: 'held-out text',
  tooLong: 'too long',
} as const satisfies Record<keyof PairReport['dropped'] | keyof LanguageReport['dropped'], string>;

const textReasons = ['script', 'duplicate', 'nearDuplicate', 'heldOutSentence'] as const;

export function describeData({languages, pairs, tokenizer, plan, warnings}: DataReport): string[] {
  const origin = tokenizer.trained ? 'trained on this text' : 'given as a file';
  return [
    ...languageTable(languages),
    ...(pairs.length === 0 ? [] : ['', ...pairTable(pairs)]),
    '',
    `tokenizer: ${count(tokenizer.vocabSize)} entries, ${origin}`,
    `training sees ${count(plan.tokens)} tokens, ${percent(plan.mappingShare)} of them pairs`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
}

function languageTable(languages: readonly LanguageReport[]): string[] {
  const names = textReasons.filter((name) => languages.some(({dropped}) => dropped[name] > 0));
  return table(
    [
      'language',
      'documents',
      'sentences',
      ...names.map((name) => reasons[name]),
      'held out',
      'to train on',
      'tokens',
      'share',
      'epochs',
      'bytes/token',
      'tokens/word',
      'tokens/character',
    ],
    languages.map(({language, read, dropped, heldOut, training, share, epochs, ...sizes}) => [
      language,
      count(read.documents),
      count(read.sentences),
      ...names.map((name) => count(dropped[name])),
      count(heldOut.documents),
      bytes(training.bytes),
      count(training.tokens),
      percent(share),
      fixed(epochs, 2),
      fixed(sizes.bytesPerToken, 2),
      fixed(sizes.fertility, 2),
      fixed(sizes.tokensPerCharacter ?? NaN, 2),
    ]),
  );
}

function pairTable(pairs: readonly PairReport[]): string[] {
  const names = Object.keys(reasons)
    .filter((name) => isReason(name))
    .filter((name) => pairs.some(({dropped}) => dropped[name] > 0));
  return table(
    [
      'pairs',
      'read',
      ...names.map((name) => reasons[name]),
      'held out',
      'to train on',
      'tokens',
      'share',
      'epochs',
    ],
    pairs.map(({read, dropped, heldOut, training, share, epochs, ...pair}) => [
      pairName(pair),
      count(read),
      ...names.map((name) => count(dropped[name])),
      count(heldOut),
      count(training.segments),
      count(training.tokens),
      percent(share),
      fixed(epochs, 2),
    ]),
  );
}

/** `en-cs`, `en-cs sentences` */
function pairName({source, target, name}: Pick<PairReport, 'source' | 'target' | 'name'>): string {
  return `${source}-${target}${name === undefined ? '' : ` ${name}`}`;
}

/** What was left out, a few of each reason. */
export function describeExamples({languages, pairs}: DataReport): string[] {
  const all = [
    ...languages.map(({language, examples}) => ({name: language, examples})),
    ...pairs.map(({examples, ...pair}) => ({name: pairName(pair), examples})),
  ];
  return all.flatMap(({name, examples}) =>
    examples.map(({reason, text}) => {
      const why = isReason(reason) ? reasons[reason] : reason;
      return `${name}, ${why}: ${text.replaceAll('\t', ' | ')}`;
    }),
  );
}

function isReason(name: string): name is keyof typeof reasons {
  return Object.hasOwn(reasons, name);
}

function percent(share: number): string {
  return `${fixed(100 * share, 1)} %`;
}
