import test from 'ava';
import {renderReport} from '../../lib/report/index.js';
import type {EvaluationEvent, StepEvent, TrainEvent} from '../../lib/train/events.js';
import {exampleConfig, syntheticRun} from './synthetic.js';

const demo = syntheticRun({steps: 200, evaluateEvery: 50});
const page = renderReport({config: exampleConfig, events: demo});

/** Tags that open and close in order; what a browser would repair silently is a fault of ours. */
function unbalanced(html: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const content = html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '').replace('<!doctype html>', '');
  for (const [tag, closing, name = '', rest = ''] of content.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g,
  )) {
    if (closing === '/') {
      const last = open.pop();
      if (last !== name) faults.push(`${tag} closes ${last}`);
    } else if (!['meta', 'link', 'br'].includes(name) && !rest.endsWith('/')) open.push(name);
  }
  return [...faults, ...open];
}

function textOf(html: string): string {
  return html
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

test('every tag that opens is closed in order', (t) => {
  t.deepEqual(unbalanced(page), []);
  t.deepEqual(unbalanced(renderReport({config: undefined, events: []})), []);
});

test('the page loads nothing from anywhere', (t) => {
  t.notRegex(page, /\b(?:https?:)?\/\/[a-z]/i);
  t.notRegex(page, /<(?:img|iframe|object|embed)\b|\bsrc=|@import|url\(/);
  t.deepEqual(page.match(/<link[^>]*>/g), ['<link rel="icon" href="data:," />']);
});

test('every section that the navigation names is there once', (t) => {
  const targets = [...page.matchAll(/href="#([a-z]+)"/g)].map(([, id]) => id);
  t.deepEqual(targets, [
    'losses',
    'languages',
    'alignment',
    'retrieval',
    'samples',
    'optimiser',
    'configuration',
    'run',
  ]);
  const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
  t.is(new Set(ids).size, ids.length);
  for (const id of targets) t.true(ids.includes(id));
});

test('the tokens that each language takes are told where they are known', (t) => {
  t.true(textOf(page).includes('Tokens per word Tokens per character Bytes per token'));
  t.regex(textOf(page), /English 1\.25 – 4\.50 Czech 1\.35 0\.26 4\.25 /);
  const older = demo.map((event) => {
    if (event.type !== 'start') return event;
    const {fertility: _, ...rest} = event;
    return rest;
  });
  t.false(textOf(renderReport({config: exampleConfig, events: older})).includes('Tokens per word'));
});

test('every colour that is used is defined', (t) => {
  const used = new Set([...page.matchAll(/var\(--([a-z0-9]+)\)/g)].map(([, name]) => name));
  for (const name of used) t.regex(page, new RegExp(`--${name}:`));
});

test('every drawing says in words what it shows', (t) => {
  for (const [tag] of page.matchAll(/<svg[^>]*>/g))
    t.regex(tag, /role="img" aria-label="[^"]{10,}"|aria-hidden="true"/);
});

test('no value is undefined, NaN or an object', (t) => {
  t.notRegex(textOf(page), /undefined|NaN|\[object/);
  t.notRegex(page, /\bd="[^"]*(?:NaN|Infinity|undefined)/);
});

test('gradient norms by objective are drawn where they were measured', (t) => {
  t.regex(textOf(page), /Gradient norm by objective/);
  t.regex(page, /aria-label="Gradient norm by objective, Next token: from [^"]*Contrastive: from/);
  t.notRegex(renderReport({config: undefined, events: []}), /by objective at the states/);
});

test('the summary has each objective, language and pair at the start and now', (t) => {
  const summary = textOf(page.slice(page.indexOf('id="summary"'), page.indexOf('id="losses"')));
  t.regex(summary, /Next token loss \d+\.\d+ from \d+\.\d+ ▼ −\d+\.\d+ \(better\)/);
  t.regex(summary, /Mapping loss \d/);
  t.regex(summary, /Contrastive loss \d/);
  t.regex(summary, /Ukrainian 7\.\d\d → \d\.\d\d \d/);
  t.regex(summary, /English – Chinese −?0\.\d{3} → 0\.\d{3} 0\.\d\d to 0\.\d\d \d\.\d % → \d+\.\d %/);
  t.regex(summary, /small model/);
});

test('the coefficient is called LAC (crossmap definition)', (t) => {
  t.true(textOf(page).includes('LAC (crossmap definition)'));
});

const attack = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"&';

test('text from outside is shown, never run', (t) => {
  const events = demo.map((event): TrainEvent => {
    if (event.type === 'start')
      return {...event, name: attack, device: attack, languages: [attack], output: attack};
    if (event.type === 'warning') return {...event, message: attack};
    if (event.type !== 'evaluation') return event;
    const sample = {source: attack, target: attack, input: attack, reference: attack, output: attack};
    return {
      ...event,
      samples: [sample],
      perplexity: event.perplexity.map((entry) => ({...entry, language: attack})),
      alignment: event.alignment.map((pair) => ({...pair, target: attack})),
    };
  });
  const html = renderReport({config: {[attack]: {[attack]: [attack]}, x: attack}, events, notes: [attack]});
  t.is(html.split('<script>').length, 2); // our own
  t.notRegex(html, /<img/);
  t.deepEqual(unbalanced(html), []);
  t.true(
    html.includes(
      '&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(2)&quot;&gt;&#39;&quot;&amp;',
    ),
  );
});

test('sample texts carry their language and find their own direction', (t) => {
  t.true(page.includes('<bdi lang="ar" dir="auto">لكل فرد'));
  t.true(page.includes('<bdi lang="zh" dir="auto">选择要打开的文件。</bdi>'));
  t.regex(page, /<bdi lang="hi" dir="auto">दस्तावेज़/);
});

test('a sample without output says so', (t) => {
  const evaluation = demo.find((event): event is EvaluationEvent => event.type === 'evaluation');
  const samples = [{source: 'en', target: 'cs', input: 'Yes.', reference: 'Ano.', output: ' '}];
  t.regex(textOf(renderReport({config: {}, events: [{...evaluation!, samples}]})), /Model \(nothing\)/);
});

test('a run of no event, of one event and of one step has a report', (t) => {
  t.regex(textOf(renderReport({config: undefined, events: []})), /No step has been trained yet/);
  t.regex(textOf(renderReport({config: {}, events: demo.slice(0, 1)})), /not finished/);
  const one = renderReport({config: {}, events: syntheticRun({steps: 1, evaluateEvery: 0})});
  t.regex(textOf(one), /One step has been trained: too little to say whether the loss falls/);
  t.regex(textOf(one), /No alignment has been measured yet/);
  t.notRegex(textOf(one), /undefined|NaN/);
  t.deepEqual(unbalanced(one), []);
});

test('a single evaluation has no start to compare with', (t) => {
  const events = syntheticRun({steps: 20, evaluateEvery: 0});
  const evaluation = demo.findLast((event): event is EvaluationEvent => event.type === 'evaluation');
  const text = textOf(renderReport({config: {}, events: [...events, {...evaluation!, step: 20}]}));
  t.regex(text, /LAC 0\.\d+ no earlier value/);
  t.notRegex(text, /undefined|NaN/);
});

test('an objective that is not trained has no chart', (t) => {
  const events = demo.map((event): TrainEvent =>
    event.type === 'step' ? {...event, losses: {next: event.losses.next!}} : event,
  );
  const text = textOf(renderReport({config: {}, events}));
  t.regex(text, /The next token loss fell\./);
  t.notRegex(text, /Contrastive loss/);
});

test('losses that are not finite are left out of the curves', (t) => {
  const events = demo.map((event): TrainEvent =>
    event.type === 'step' && event.step > 190
      ? {...event, loss: NaN, losses: {next: NaN, mapping: Infinity}, gradientNorm: Infinity}
      : event,
  );
  const html = renderReport({config: {}, events});
  t.notRegex(html, /\bd="[^"]*(?:NaN|Infinity)/);
  t.deepEqual(unbalanced(html), []);
});

test('100,000 steps make a page of bounded size that still shows a single spike', (t) => {
  const events = syntheticRun({steps: 100_000, evaluateEvery: 1000, layers: 12}).map((event): TrainEvent =>
    event.type === 'step' && event.step === 61_803 ? {...event, losses: {...event.losses, next: 100}} : event,
  );
  const html = renderReport({config: exampleConfig, events});
  t.true(html.length < 1_500_000, `${html.length}`);
  const faint = /class="line faint"[^>]* d="([^"]+)"/.exec(html)?.[1] ?? '';
  const heights = faint
    .slice(1)
    .split('L')
    .map((pair) => Number(pair.split(' ')[1]));
  t.true(heights.length <= 602);
  t.true(Math.min(...heights) < 50);
  t.is(heights.filter((height) => height < 800).length, 1);
});

for (const steps of [[100], [200], [0, 50, 100, 150, 200]])
  test(`alignments of steps ${steps.join()} that are not finite are left out of the drawings`, (t) => {
    const events = demo.map((event): TrainEvent => {
      if (event.type !== 'evaluation' || !steps.includes(event.step)) return event;
      const broken = {
        lac: NaN,
        interval: [NaN, NaN] as const,
        lacByLayer: event.alignment[0]!.lacByLayer.with(2, NaN),
      };
      return {...event, alignment: event.alignment.map((pair) => ({...pair, ...broken}))};
    });
    t.notRegex(renderReport({config: {}, events}), /"[^"]*NaN[^"]*"/);
  });

test('many pairs, layers and evaluations make maps of bounded size', (t) => {
  const languages = Array.from({length: 31}, (_, i) => `x${String.fromCharCode(97 + (i % 26))}${i}`);
  const events = syntheticRun({steps: 400, evaluateEvery: 5, layers: 32, pairs: 30, languages});
  const cells = renderReport({config: {}, events}).split('<rect').length - 1;
  t.true(cells <= 30 * 33 * 8 + 8000, `${cells}`);
  t.true(cells >= 30 * 33 * 8);
});

test('the report names flags of an alignment in words', (t) => {
  const events = demo.map((event): TrainEvent =>
    event.type === 'evaluation'
      ? {
          ...event,
          alignment: event.alignment.map((pair) => ({...pair, flags: ['fewPairs', 'collapsed'] as const})),
        }
      : event,
  );
  t.regex(
    renderReport({config: {}, events}),
    /fewer than 100 sentence pairs: a wide interval; at some layer/,
  );
});

test('the configuration is shown group by group', (t) => {
  const text = textOf(page);
  t.regex(text, /general name demo-8-languages seed 1 model layers 6/);
  t.regex(text, /rope\.theta 10000/);
  t.regex(text, /betas 0\.9, 0\.95/);
  t.regex(text, /contrastive\.layer null/);
  const odd = renderReport({config: {a: {}, b: [], c: [{d: 1}, {d: 'x'}]}, events: []});
  t.regex(textOf(odd), /a \(empty\) b \(none\)/);
  t.regex(textOf(odd), /c 0\.d 1 1\.d x/);
  t.regex(textOf(renderReport({config: undefined, events: []})), /No configuration was saved/);
});

test('the run is described with its facts', (t) => {
  const text = textOf(page);
  t.regex(text, /Parameters 3\.21 M/);
  t.regex(text, /Steps 200 of 200/);
  t.regex(text, /Peak memory 742 MiB/);
  t.regex(text, /1 warning step 1 12 pairs are longer/);
  t.notRegex(text, /Continued/);
});

test('a stopped run and a running one are told apart from a finished one', (t) => {
  const steps = demo.filter((event): event is StepEvent => event.type === 'step').slice(0, 30);
  const stopped = [...steps, {type: 'end', reason: 'aborted', step: 30, seconds: 9, peakBytes: 1} as const];
  t.regex(textOf(page), /crossmap training report finished/);
  t.regex(textOf(renderReport({config: {}, events: steps})), /at step 30, not finished/);
  t.regex(textOf(renderReport({config: {}, events: stopped})), /stopped at step 30/);
});

test('the same events give the same page, and the date is the one passed', (t) => {
  t.is(renderReport({config: exampleConfig, events: demo}), page);
  const dated = renderReport({config: {}, events: [], writtenAt: new Date('2026-03-04T05:06:07Z')});
  t.regex(textOf(dated), /Made by crossmap, 2026-03-04 05:06 UTC/);
});
