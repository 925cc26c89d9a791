/** Held-out perplexity by language. */
import type {LanguagePerplexity} from '../eval/results.js';
import {count, fixed, languageName, number} from './format.js';
import {trackChange, type RunHistory, type Track} from './history.js';
import {html, type Html} from './html.js';
import {lineChart} from './line-chart.js';
import {strokeOf} from './palette.js';
import {linearScale, stepScale} from './scale.js';
import {changeMark, section} from './section.js';
import {finite, thin, type Point} from './series.js';
import {table} from './table.js';

/** Bits per byte of each language over the evaluations, in the order of first appearance. */
export function bitsPerByteTracks({evaluations}: RunHistory): Track[] {
  const found = new Map<string, Point[]>();
  for (const {step, perplexity} of evaluations)
    for (const {language, bitsPerByte} of perplexity) {
      const points = found.get(language) ?? [];
      found.set(language, points);
      points.push({x: step, y: bitsPerByte});
    }
  return [...found]
    .map(([key, points]) => ({key, points: finite(points)}))
    .filter(({points}) => points.length > 0);
}

/** The last measurement of each language. */
export function latestPerplexity({evaluations}: RunHistory): Map<string, LanguagePerplexity> {
  return new Map(evaluations.flatMap(({perplexity}) => perplexity.map((entry) => [entry.language, entry])));
}

export function languageSection(history: RunHistory): Html {
  const followed = bitsPerByteTracks(history);
  return section({
    id: 'languages',
    title: 'Held-out text by language',
    lead: html`Bits per UTF-8 byte: lower is better, and unlike perplexity it can be compared between
    tokenizers. Between languages it cannot: a letter is one byte in English, two in Ukrainian and three in
    Chinese.`,
    body: html`${
      followed.length > 0
        ? html`<div class="charts wide">${chart(history, followed)}</div>
            ${languageTable(history, followed)}`
        : html`<p class="none">No evaluation of held-out text has been made yet.</p>`
    }${fertilityTable(history)}`,
  });
}

function chart(history: RunHistory, followed: readonly Track[]): Html {
  const ends = followed.map((track) => `${languageName(track.key)} ${fixed(trackChange(track).now, 2)}`);
  return lineChart({
    title: 'Bits per byte',
    description: `Bits per byte by language at the last evaluation: ${ends.join(', ')}`,
    x: stepScale(history.lastStep),
    y: linearScale(followed.flatMap(({points}) => points.map(({y}) => y))),
    curves: followed.map(({key, points}, i) => ({
      name: languageName(key),
      points: thin(points),
      stroke: strokeOf(i),
    })),
    legend: true,
  });
}

function languageTable(history: RunHistory, followed: readonly Track[]): Html {
  const last = latestPerplexity(history);
  const show = (value: number): string => fixed(value, 2);
  return table({
    caption: 'Bits per byte and perplexity, first against last evaluation',
    columns: [
      {name: 'Language'},
      {name: 'Start'},
      {name: 'Now'},
      {name: 'Change'},
      {name: 'Perplexity per token'},
      {name: 'Held-out tokens'},
    ],
    rows: followed.map((track) => {
      const change = trackChange(track);
      const entry = last.get(track.key);
      return [
        languageName(track.key),
        change.first === undefined ? '–' : show(change.first),
        html`<b>${show(change.now)}</b>`,
        changeMark(change, {show, better: 'lower'}),
        entry && number(entry.perplexity, 3),
        entry && count(entry.tokens),
      ];
    }),
  });
}

/** How finely the tokenizer cuts each language: one that takes more tokens for the same text has less of it in a context. */
function fertilityTable({start}: RunHistory): Html | undefined {
  const languages = start?.fertility ?? [];
  if (languages.length === 0) return undefined;
  const show = (value: number | undefined): string =>
    value === undefined || !Number.isFinite(value) ? '–' : fixed(value, 2);
  return table({
    caption: 'Tokens of the text to train on, on a sample of each language',
    columns: [
      {name: 'Language'},
      {name: 'Tokens per word'},
      {name: 'Tokens per character'},
      {name: 'Bytes per token'},
    ],
    rows: languages.map(({language, fertility, tokensPerCharacter, bytesPerToken}) => [
      languageName(language),
      show(fertility),
      show(tokensPerCharacter),
      show(bytesPerToken),
    ]),
  });
}
