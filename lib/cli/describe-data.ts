/** What became of the text, as tables. */
import type {DataReport, LanguageReport, PairReport} from '../data/index.js';
import {bytes, count, fixed} from './format.js';
import {table} from './table.js';

/** Reasons for leaving pairs out, as the heading names them. */
const reasons = {
  empty: 'empty',
  identical: 'identical',
  ratio: 'length',
  duplicate: 'twice',
  heldOutSentence: 'held-out text',
  tooLong: 'too long',
} as const satisfies Record<keyof PairReport['dropped'], string>;

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
  return table(
    [
      'language',
      'documents',
      'sentences',
      'held out',
      'to train on',
      'tokens',
      'share',
      'epochs',
      'bytes/token',
      'tokens/word',
    ],
    languages.map(({language, read, heldOut, training, share, epochs, bytesPerToken, fertility}) => [
      language,
      count(read.documents),
      count(read.sentences),
      count(heldOut.documents),
      bytes(training.bytes),
      count(training.tokens),
      percent(share),
      fixed(epochs, 2),
      fixed(bytesPerToken, 2),
      fixed(fertility, 2),
    ]),
  );
}

function pairTable(pairs: readonly PairReport[]): string[] {
  const names = Object.keys(reasons).filter((name) => isReason(name));
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
    pairs.map(({source, target, read, dropped, heldOut, training, share, epochs}) => [
      `${source}-${target}`,
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

function isReason(name: string): name is keyof typeof reasons {
  return Object.hasOwn(reasons, name);
}

function percent(share: number): string {
  return `${fixed(100 * share, 1)} %`;
}
