/** What the model wrote: translations of held-out sentences, beside the reference. */
import type {SampleTranslation} from '../eval/results.js';
import {languageName} from './format.js';
import type {RunHistory} from './history.js';
import {html, type Html} from './html.js';
import {inLanguage, section} from './section.js';
import {spread} from './series.js';
import {folded} from './table.js';

interface Version {
  readonly step: number;
  readonly output: string;
}

/** One sentence, and what became of it over the evaluations. */
interface FollowedSample {
  readonly sample: SampleTranslation;
  readonly versions: readonly Version[];
}

const mostSamples = 24;
const mostVersions = 8;

export function sampleSection(history: RunHistory): Html | undefined {
  const followed = follow(history);
  const last = followed[0]?.versions.at(-1);
  if (last === undefined) return undefined;
  return section({
    id: 'samples',
    title: 'Sample translations',
    lead: `As the model wrote them at step ${last.step}; none was picked for being good.`,
    body: html`<div class="samples">${spread(followed, mostSamples).map(card)}</div>`,
  });
}

/** The samples of the last evaluation that has some, each with its outputs at earlier ones. */
function follow({evaluations}: RunHistory): FollowedSample[] {
  const key = ({source, target, input}: SampleTranslation): string => JSON.stringify([source, target, input]);
  const versions = new Map<string, Version[]>();
  for (const {step, samples} of evaluations)
    for (const sample of samples)
      versions.set(key(sample), [...(versions.get(key(sample)) ?? []), {step, output: sample.output}]);
  const latest = evaluations.findLast(({samples}) => samples.length > 0)?.samples ?? [];
  return latest.map((sample) => ({sample, versions: versions.get(key(sample)) ?? []}));
}

function card({sample, versions}: FollowedSample): Html {
  const {source, target, input, reference, output} = sample;
  return html`<article class="sample">
    <h3>
      ${languageName(source)} <span aria-hidden="true">→</span
      ><span class="aloud">to</span> ${languageName(target)}
    </h3>
    <dl>
      ${line('Source', inLanguage(source, input))} ${line('Reference', inLanguage(target, reference))}
      ${line('Model', written(target, output), 'model')}
    </dl>
    ${
      versions.length > 1 &&
      folded(
        'Over time',
        html`<dl>
          ${spread(versions, mostVersions).map((version) => line(`Step ${version.step}`, written(target, version.output)))}
        </dl>`,
      )
    }
  </article>`;
}

function line(name: string, text: Html, kind?: string): Html {
  return html`<div class="${kind}">
    <dt>${name}</dt>
    <dd>${text}</dd>
  </div>`;
}

function written(language: string, text: string): Html {
  return text.trim() === '' ? html`<span class="none">(nothing)</span>` : inLanguage(language, text);
}
