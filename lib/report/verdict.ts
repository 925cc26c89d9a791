/** The run in a few plain sentences, and what such numbers do not say. */
import {count, fixed, list, percent, plural} from './format.js';
import {lossChange, lossCurve, meanChange, trackChange, type Change, type RunHistory} from './history.js';
import {objectiveNames, objectives} from './objective.js';
import {bitsPerByteTracks} from './languages.js';
import {chanceOf, lacTracks, pairHistories, precisionTracks} from './pairs.js';
import {coefficient} from './section.js';

/** Sentences about what was measured, in order of the sections. */
export function findings(history: RunHistory): string[] {
  return [lossFinding, languageFinding, alignmentFinding, retrievalFinding].flatMap(
    (find) => find(history) ?? [],
  );
}

function lossFinding(history: RunHistory): string | undefined {
  const changes = objectives.flatMap((objective) => {
    const change = lossChange(lossCurve(history, objective));
    return change === undefined ? [] : [{name: objectiveNames[objective].toLowerCase(), change}];
  });
  if (changes.length === 0) return 'No step has been trained yet.';
  if (changes.some(({change}) => change.first === undefined))
    return 'One step has been trained: too little to say whether the loss falls.';
  const fell = changes.filter(({change}) => change.now < (change.first ?? NaN)).map(({name}) => name);
  const rose = changes.filter(({name}) => !fell.includes(name)).map(({name}) => name);
  if (rose.length === 0)
    return fell.length === 1
      ? `The ${fell[0]} loss fell.`
      : `The loss fell on all ${fell.length} objectives: ${list(fell)}.`;
  return fell.length === 0
    ? `The loss did not fall on any objective (${list(rose)}).`
    : `The loss fell on ${list(fell)}; it did not fall on ${list(rose)}.`;
}

function languageFinding(history: RunHistory): string | undefined {
  const followed = bitsPerByteTracks(history);
  const change = meanChange(followed.map(trackChange));
  if (change === undefined) return undefined;
  const of = followed.length === 1 ? '' : ` on average over ${plural(followed.length, 'language')}`;
  return `Held-out text takes ${fixed(change.now, 2)} bits per byte${of}${before(change, (value) => fixed(value, 2))}.`;
}

function alignmentFinding(history: RunHistory): string | undefined {
  const pairs = pairHistories(history.evaluations);
  const change = meanChange(lacTracks(history).map(trackChange));
  if (change === undefined) return undefined;
  const certain = pairs.filter(({last}) => last.interval[0] > 0).length;
  const of =
    pairs.length === 1 ? 'for the one language pair' : `on average over ${pairs.length} language pairs`;
  return `LAC (crossmap definition) is ${coefficient(change.now)} ${of}${before(change, coefficient)}; ${aboveChance(certain, pairs.length)}.`;
}

function aboveChance(certain: number, pairs: number): string {
  if (certain === 0) return 'no interval lies above chance, so no alignment has been shown';
  if (certain < pairs) return `for ${certain} of ${pairs} the 95 % interval lies above chance`;
  return pairs === 1 ? 'its 95 % interval lies above chance' : 'every 95 % interval lies above chance';
}

function retrievalFinding(history: RunHistory): string | undefined {
  const pairs = pairHistories(history.evaluations);
  const change = meanChange(precisionTracks(history).map(trackChange));
  if (change === undefined) return undefined;
  return `The nearest sentence is the translation in ${percent(change.now)} of cases${before(change, percent)}; chance is ${percent(chanceOf(pairs))}.`;
}

function before({first}: Change, show: (value: number) => string): string {
  return first === undefined ? '' : `, ${show(first)} at the first evaluation`;
}

/** Models below this have been seen to learn form before content. */
const smallModel = 100e6;

/** What a reader should not conclude. */
export function caution({start, tokens, evaluations}: RunHistory): string {
  const oneRun =
    'This is one run with one seed: a second seed would give other digits, so differences between runs need several.';
  if (start === undefined || start.parameters >= smallModel) return oneRun;
  const size = `${count(start.parameters)} parameters and ${count(tokens)} training tokens`;
  const lexical = evaluations.some(({alignment}) => alignment.length > 0)
    ? ' Alignment of a small model may rest on names, numbers and frequent words that translations share.'
    : '';
  return `With ${size} this is a small model. It learns spelling, frequent words and short-range order; expect its translations to be mostly wrong. Falling losses show that training works, not that the model is of use.${lexical} ${oneRun}`;
}
