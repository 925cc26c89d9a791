/** What every model of the experiment is measured on. */
import type {Plan} from './plan.js';
import {splitFiles} from './split-files.js';

/** A suite for `crossmap eval`; its files lie beside it. */
export function suiteOf({hub, languages, primary, test}: Plan): object {
  const directions = languages.flatMap((language) => [
    {source: hub, target: language, file: splitFiles.testPairs(language), columns: [0, 1]},
    {source: language, target: hub, file: splitFiles.testPairs(language), columns: [1, 0]},
  ]);
  return {
    draws: 1000,
    primary,
    tasks: [
      ...[hub, ...languages].map((language) => ({
        type: 'perplexity',
        language,
        files: splitFiles.testText(language),
      })),
      ...languages.map((language) => ({
        type: 'alignment',
        source: hub,
        target: language,
        file: splitFiles.testPairs(language),
      })),
      ...directions.map((direction) => ({type: 'translation', ...direction, limit: test.translated})),
      ...directions.map((direction) => ({type: 'translationChoice', ...direction})),
    ],
  };
}
