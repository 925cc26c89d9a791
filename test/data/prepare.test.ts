import {existsSync} from 'node:fs';
import {appendFile, copyFile, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openBatches, prepareData, type DataProgress, type HeldOutBatch} from '../../lib/data/index.js';
import {
  configIn,
  folderWith,
  languages,
  sentence,
  sentences,
  documents,
  smallConfig,
  smallFiles,
  smallYaml,
} from './corpora.js';

test('a report counts all that was read, held out and kept', async (t) => {
  const config = await smallConfig(t);
  const {report, languages: known, heldOut, reused} = await prepareData(config);
  t.false(reused);
  t.deepEqual(known, ['cs', 'en']);
  t.deepEqual(
    report.languages.map(({language}) => language),
    ['cs', 'en'],
  );
  for (const language of report.languages) {
    t.deepEqual(language.read, {documents: 120, sentences: 360});
    t.is(language.heldOut.documents, 12);
    t.is(language.training.segments, 108);
    t.true(language.fertility >= 1 && language.fertility < 10);
    t.true(language.bytesPerToken > 1);
    t.true(language.tokensPerCharacter! > 0 && language.tokensPerCharacter! < language.fertility);
  }
  const bytes = Buffer.byteLength(sentences('en', 0, 360).join('\n')) - 119; // no line end between documents
  const english = report.languages[1]!;
  t.is(english.training.bytes + english.heldOut.bytes, bytes);
  t.is(report.pairs.length, 1);
  const [pair] = report.pairs;
  t.is(pair?.read, 300);
  t.is(pair?.heldOut, 20);
  t.is(pair?.training.segments, 280);
  t.deepEqual(
    heldOut.pairs.map(({source, target, sources}) => [source, target, sources.length]),
    [['en', 'cs', 20]],
  );
  t.deepEqual(report.tokenizer, {vocabSize: 320, trained: true});
  t.deepEqual(report.plan, {tokens: 40 * 2 * 512, mappingShare: 0.25});
  t.is(JSON.stringify(JSON.parse(JSON.stringify(report))), JSON.stringify(report));
});

test('a report shows some of what each filter left out', async (t) => {
  const lines = Array.from({length: 9}, (_, i) => `water ${i}\t${'long '.repeat(20 + i)}`);
  const folder = await folderWith(t, {
    ...smallFiles,
    'en-cs.tsv': `${smallFiles['en-cs.tsv']}\n${lines.join('\n')}\nsame\tsame\n`,
  });
  const {report} = await prepareData(configIn(folder, smallYaml));
  const [{dropped, examples}] = report.pairs as [(typeof report.pairs)[0]];
  t.deepEqual([dropped.ratio, dropped.identical], [9, 1]);
  t.deepEqual(examples.map(({reason}) => reason).sort(), ['identical', 'ratio', 'ratio', 'ratio']);
  for (const {reason, text} of examples)
    t.regex(text, reason === 'ratio' ? /^water \d\tlong long/ : /^same\tsame$/);
  const reversed = [...lines].reverse().join('\n');
  const other = await folderWith(t, {
    ...smallFiles,
    'en-cs.tsv': `same\tsame\n${reversed}\n${smallFiles['en-cs.tsv']}`,
  });
  const again = await prepareData(configIn(other, smallYaml));
  const sorted = (all: typeof examples) => all.map(({text}) => text).sort();
  t.deepEqual(sorted(again.report.pairs[0]!.examples), sorted(examples));
});

test('held-out pairs are translations of each other', async (t) => {
  const {heldOut} = await prepareData(await smallConfig(t));
  const czech = new Map(
    Array.from({length: 300}, (_, i) => [sentence('en', 2000 + i), sentence('cs', 2000 + i)]),
  );
  const [{sources, targets}] = heldOut.pairs as [(typeof heldOut.pairs)[0]];
  sources.forEach((source, i) => t.is(targets[i], czech.get(source)));
});

test('prepared data is used again as long as nothing that it depends on changes', async (t) => {
  const config = await smallConfig(t);
  const first = await prepareData(config);
  t.is(first.folder, join(config.output, 'data'));
  const again = await prepareData({...config, data: {...config.data, alpha: 1, mappingShare: 0.5}});
  t.true(again.reused);
  t.is(again.identity, first.identity);
  t.deepEqual(openBatches(again, config).next(), openBatches(first, config).next());
});

test('other options or files are prepared anew, in place of the old', async (t) => {
  const config = await smallConfig(t);
  const first = await prepareData(config);
  const larger = await prepareData({...config, tokenizer: {vocabSize: 335}});
  t.false(larger.reused);
  t.is(larger.tokenizer.vocabSize, 335);
  t.not(larger.identity, first.identity);

  await appendFile(join(config.data.root, 'en.txt'), `\n${sentence('en', 9000)}\n`);
  const longer = await prepareData({...config, tokenizer: {vocabSize: 335}});
  t.false(longer.reused);
  t.is(longer.report.languages[1]?.read.documents, 121);
  t.deepEqual(await readdir(config.output), ['data']);
});

test('the same text in another place is the same data', async (t) => {
  const [one, other] = [await prepareData(await smallConfig(t)), await prepareData(await smallConfig(t))];
  t.is(one.identity, other.identity);
  t.not(one.folder, other.folder);
});

test('the order of files does not decide what is held out, nor in which order it is measured', async (t) => {
  const yaml = (files: string): string =>
    `data: {monolingual: [{language: en, files: ${files}}], heldOut: {documentShare: 0.2}}\nobjectives: {recipe: mono}\ntokenizer: {vocabSize: 300}`;
  const folder = await folderWith(t, {
    'a.txt': documents(sentences('en', 0, 60)),
    'b.txt': documents(sentences('en', 60, 60)),
  });
  const heldOut = async (files: string): Promise<string[]> => {
    const {heldOut: sets, tokenizer} = await prepareData(configIn(folder, yaml(files)), {
      folder: join(folder, files),
    });
    const [{batch}] = sets.text('en', {tokensPerBatch: 4096}) as [HeldOutBatch];
    const starts = [...batch.segmentStarts];
    const texts = starts.slice(1).map((end, i) => tokenizer.decode(batch.tokens.subarray(starts[i], end)));
    return Promise.all(texts);
  };
  t.deepEqual(await heldOut('[a.txt, b.txt]'), await heldOut('[b.txt, a.txt]'));
});

test('every stage tells how far it is, in order', async (t) => {
  const told: DataProgress[] = [];
  await prepareData(await smallConfig(t), {onProgress: (progress) => void told.push(progress)});
  t.deepEqual([...new Set(told.map(({stage}) => stage))], ['scan', 'tokenizer', 'encode', 'load']);
  t.true(told.every(({done}) => done >= 0 && done <= 1));
  t.is(told.at(-1)?.done, 1);
});

test('stopping leaves what was there', async (t) => {
  const config = await smallConfig(t);
  await prepareData(config);
  const before = await readFile(join(config.output, 'data', 'data.json'), 'utf8');
  for (const stage of ['scan', 'tokenizer', 'encode'] as const) {
    const stop = new AbortController();
    const onProgress = (progress: DataProgress): void => {
      if (progress.stage === stage) stop.abort();
    };
    const changed = {...config, tokenizer: {vocabSize: 333}};
    await t.throwsAsync(prepareData(changed, {signal: stop.signal, onProgress}), {code: 'ERR_ABORTED'});
    t.is(await readFile(join(config.output, 'data', 'data.json'), 'utf8'), before);
    t.deepEqual(await readdir(config.output), ['.data.crossmap-building', 'data']);
  }
});

for (const file of [
  'text.cs.tokens',
  'held-out.en.tokens',
  'pairs.en.cs.tokens',
  'tokenizer.json',
  'held-out-pairs.json',
])
  test(`a damaged ${file} is named and nothing is trained on`, async (t) => {
    const config = await smallConfig(t);
    const {folder} = await prepareData(config);
    const bytes = await readFile(join(folder, file));
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(join(folder, file), bytes);
    const error = await t.throwsAsync(prepareData(config), {code: 'ERR_FORMAT'});
    t.true(error.message.startsWith(join(folder, file)), error.message);
  });

test('a token file in the place of another is named', async (t) => {
  const config = await smallConfig(t);
  const {folder} = await prepareData(config);
  await copyFile(join(folder, 'text.en.tokens'), join(folder, 'text.cs.tokens'));
  await t.throwsAsync(prepareData(config), {
    code: 'ERR_FORMAT',
    message: /text\.cs\.tokens is not the file that was written/,
  });
});

for (const name of ['thesis.txt', 'data.json'])
  test(`a folder that holds another ${name} is left alone`, async (t) => {
    const config = await smallConfig(t);
    const folder = join(config.output, 'data');
    await mkdir(folder, {recursive: true});
    await writeFile(join(folder, name), '{"years": "of work"}');
    await t.throwsAsync(prepareData(config), {
      code: 'ERR_FORMAT',
      message: `${folder} is no prepared data: it has no readable data.json; remove the folder, or name another one`,
    });
    t.deepEqual(await readdir(folder), [name]);
  });

test('prepared data of another version is made anew', async (t) => {
  const config = await smallConfig(t);
  const {folder} = await prepareData(config);
  const manifest = JSON.parse(await readFile(join(folder, 'data.json'), 'utf8')) as object;
  await writeFile(join(folder, 'data.json'), JSON.stringify({...manifest, version: 0}));
  t.false((await prepareData(config)).reused);
});

test('a given tokenizer is used, and kept with the data', async (t) => {
  const config = await smallConfig(t);
  const {tokenizer} = await prepareData(config);
  const file = join(config.data.root, 'mine.json');
  await copyFile(tokenizer.file, file);
  const data = await prepareData({...config, tokenizer: {vocabSize: 8192, file}});
  t.deepEqual(data.report.tokenizer, {vocabSize: 320, trained: false});
  t.false(data.report.warnings.some((warning) => warning.includes('vocabSize')));
  t.true(existsSync(join(data.folder, 'tokenizer.json')));
});

test('a given tokenizer without the languages is refused by its name', async (t) => {
  const config = await smallConfig(t);
  const file = join(config.data.root, 'mine.json');
  await writeFile(file, '{"model": {"vocab": {"a": 0}}}');
  await t.throwsAsync(prepareData({...config, tokenizer: {vocabSize: 300, file}}), {
    code: 'ERR_DATA',
    message: `${file} lacks the control tokens <bos> <eos> <map> <cs> <en>; train a tokenizer, or add them to its added_tokens`,
  });
});

test('a missing corpus is named with its option', async (t) => {
  const config = await smallConfig(t, ['data.monolingual[1].files=nowhere.txt']);
  await t.throwsAsync(prepareData(config), {
    code: 'ERR_DATA',
    message: /nowhere\.txt does not exist; data\.monolingual\[1\] names it$/,
  });
  t.false(existsSync(join(config.output, 'data')));
});

test('pairs longer than a context are dropped and counted; if none is left, that is an error', async (t) => {
  const long = `${'water '.repeat(100)}\t${'voda '.repeat(100)}\n`;
  const files = {...smallFiles, 'en-cs.tsv': `${smallFiles['en-cs.tsv']}${long}`};
  const yaml = (file: string): string => `
data: {parallel: [{source: en, target: cs, file: ${file}}], heldOut: {pairs: 10}}
tokenizer: {vocabSize: 300}
model: {context: 64}
training: {tokensPerBatch: 512}`;
  const folder = await folderWith(t, {...files, 'long.tsv': long});
  const {report} = await prepareData(configIn(folder, yaml('en-cs.tsv')));
  t.is(report.pairs[0]?.dropped.tooLong, 1);
  await t.throwsAsync(prepareData(configIn(folder, yaml('long.tsv')), {folder: join(folder, 'other')}), {
    code: 'ERR_DATA',
    message:
      'no pair of en and cs is left to train on: 1 are longer than 59 tokens (raise model.context or training.tokensPerBatch), 0 are held out, 0 have a held-out sentence',
  });
});

test('both segments of a pair must fit into a batch', async (t) => {
  const folder = await folderWith(t, smallFiles);
  const yaml = `
data: {parallel: [{source: en, target: cs, file: en-cs.tsv}], heldOut: {pairs: 10}}
tokenizer: {vocabSize: 300}
model: {context: 64}
training: {tokensPerBatch: 90}`;
  const data = await prepareData(configIn(folder, yaml));
  const stream = openBatches(data, configIn(folder, yaml));
  t.true(data.report.pairs[0]!.dropped.tooLong > 0);
  for (let i = 0; i < 50; i++) t.true(stream.next().tokens.length <= 90);
});

test('text that is all held out elsewhere is an error', async (t) => {
  const folder = await folderWith(t, {
    'en.txt': 'water.\n\nwater.\nwater.\n\nwater.\nwater.\nwater.\n',
    'cs.txt': documents(sentences('cs', 0, 30)),
  });
  const yaml =
    'data: {monolingual: [{language: en, files: en.txt}, {language: cs, files: cs.txt}], heldOut: {documentShare: 0.5}}\nobjectives: {recipe: mono}\ntokenizer: {vocabSize: 300}';
  const error = await t.throwsAsync(prepareData(configIn(folder, yaml)));
  t.regex(error.message, /^no text of en is left to train on: all of it occurs in held-out text/);
});

test('what the user should know is told', async (t) => {
  const folder = await folderWith(t, {
    'en.txt': sentences('en', 0, 10).join('\n'),
    'en-cs.tsv': sentences('en', 100, 12)
      .map((text, i) => `${text}\t${sentence('cs', 100 + i)}\n`)
      .join(''),
    'cs.txt': documents(sentences('cs', 500, 30)),
  });
  const yaml = `
data:
  monolingual: [{language: en, files: en.txt}, {language: cs, files: cs.txt}]
  parallel: [{source: en, target: cs, file: en-cs.tsv}]
tokenizer: {vocabSize: 2000}`;
  const {report} = await prepareData(configIn(folder, yaml));
  t.regex(
    report.warnings[0]!,
    /^The text yields a vocabulary of \d+ entries; tokenizer\.vocabSize asks for 2000\.$/,
  );
  t.deepEqual(report.warnings.slice(1, 3), [
    'No text of en is held out: it is one document. Its perplexity is not measured.',
    'Of en-cs 6 pairs are held out instead of 200, for at most half of the pairs are, too few to measure alignment.',
  ]);
  const [ofText, ofPairs] = [report.languages, report.pairs].map((corpora) =>
    Math.max(...corpora.map(({epochs}) => epochs)),
  );
  t.true(ofText! > 4 && ofPairs! > 4);
  const told = report.warnings
    .slice(3)
    .map((line) =>
      /^There (.*) goes through (.*) up to ([\d.]+) times, with data\.maxEpochs 4\./.exec(line)?.slice(1),
    );
  t.deepEqual(
    told.map((parts) => parts?.slice(0, 2)),
    [
      ['is little text: training', 'it'],
      ['are few pairs: training', 'them'],
    ],
  );
  t.true(Math.abs(Number(told[0]?.[2]) - ofText!) < 0.06 * ofText!);
  t.true(Math.abs(Number(told[1]?.[2]) - ofPairs!) < 0.06 * ofPairs!);
});

test('eight scripts are prepared, each language with words of its own', async (t) => {
  const files = Object.fromEntries(
    languages.map((code) => [`${code}.txt`, documents(sentences(code, 0, 90))]),
  );
  const folder = await folderWith(t, files);
  const corpora = languages.map((code) => `{language: ${code}, files: ${code}.txt}`).join(', ');
  const yaml = `data: {monolingual: [${corpora}]}\nobjectives: {recipe: mono}\ntokenizer: {vocabSize: 700}`;
  const {report, tokenizer} = await prepareData(configIn(folder, yaml));
  t.deepEqual(tokenizer.languages, [...languages].sort());
  // The sample is balanced: no language is left to bytes. Its 8 words are one token each, or nearly so.
  for (const {fertility, language} of report.languages) t.true(fertility < 3.5, `${language}: ${fertility}`);
});

test('the event loop goes on turning', async (t) => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  t.teardown(() => clearInterval(timer));
  await prepareData(await smallConfig(t));
  t.true(turns > 10);
});
