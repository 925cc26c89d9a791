/** The top of the report: the run in one look. */
import {fixed, languageName, number, percent} from './format.js';
import {recentSteps, trackChange, type Change, type RunHistory} from './history.js';
import {html, type Html} from './html.js';
import {bitsPerByteTracks, latestPerplexity} from './languages.js';
import {lacTracks, pairHistories, pairName, precisionTracks, remarkOn} from './pairs.js';
import {coefficient} from './section.js';
import {table} from './table.js';
import {tiles} from './tiles.js';
import {caution, findings} from './verdict.js';

export function summarySection(history: RunHistory): Html {
  return html`<section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title" class="aloud">Summary</h2>
    <div class="verdict">
      <ul>
        ${findings(history).map((finding) => html`<li>${finding}</li>`)}
      </ul>
      <p class="caution">${caution(history)}</p>
    </div>
    ${tiles(history)}
    <p class="key">${reading(history)}</p>
    <div class="pair-of-tables">${languageTable(history)} ${pairTable(history)}</div>
  </section>`;
}

function reading({steps, evaluations}: RunHistory): string {
  const losses = `Loss: first step, then the mean of the last ${recentSteps} steps (a tenth of a shorter run).`;
  const others = 'Other values: first and last evaluation, means over languages or pairs and over layers.';
  return [steps.length > 0 ? losses : '', evaluations.length > 0 ? others : ''].join(' ').trim();
}

function languageTable(history: RunHistory): Html | undefined {
  const followed = bitsPerByteTracks(history);
  if (followed.length === 0) return undefined;
  const latest = latestPerplexity(history);
  return table({
    caption: 'Held-out text, first to last evaluation',
    columns: [{name: 'Language'}, {name: 'Bits per byte'}, {name: 'Perplexity now'}],
    rows: followed.map((track) => [
      languageName(track.key),
      fromTo(trackChange(track), (value) => fixed(value, 2)),
      number(latest.get(track.key)?.perplexity ?? NaN, 3),
    ]),
  });
}

function pairTable(history: RunHistory): Html | undefined {
  const pairs = pairHistories(history.evaluations);
  if (pairs.length === 0) return undefined;
  const lac = new Map(lacTracks(history).map((track) => [track.key, track]));
  const precision = new Map(precisionTracks(history).map((track) => [track.key, track]));
  return table({
    caption: 'Language pairs, first to last evaluation',
    columns: [{name: 'Languages'}, {name: 'LAC'}, {name: '95 % interval'}, {name: 'P@1'}],
    rows: pairs.map(({key, last}) => [
      html`${pairName(last)}${remarkOn(last) !== '' && html` <abbr title="${remarkOn(last)}">*</abbr>`}`,
      fromTo(trackChange(lac.get(key)), coefficient),
      `${fixed(last.interval[0], 2)} to ${fixed(last.interval[1], 2)}`,
      fromTo(trackChange(precision.get(key)), percent),
    ]),
  });
}

function fromTo({first, now}: Change, show: (value: number) => string): Html {
  return html`${first !== undefined && html`<span class="before">${show(first)} →</span> `}<b
      >${show(now)}</b
    >`;
}
