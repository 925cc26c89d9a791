/** Perplexity of documents. */
import type {SuiteTask} from '../../config/index.js';
import {readDocuments} from '../../data/corpus/documents.js';
import {expandPatterns} from '../../data/corpus/patterns.js';
import {windows} from '../../data/held-out/windows.js';
import {CrossmapError} from '../../errors.js';
import {scoreContinuations, type Continuation} from '../continuations.js';
import {ratioInterval} from '../intervals.js';
import {itemsOf, pick} from './items.js';
import type {Found} from './results.js';
import type {ReadTask, TaskInput} from './run.js';

type Task = Extract<SuiteTask, {type: 'perplexity'}>;

/** Documents that are scored together: enough for full batches. */
const documentsAtOnce = 64;

export async function readPerplexity(task: Task, input: TaskInput): Promise<ReadTask> {
  const documents = await readAll(task, input);
  const texts = documents.map((sentences) => sentences.join('\n'));
  return {sentences: documents, measure: (chosen) => measure(task, pick(texts, chosen), input)};
}

async function measure(task: Task, texts: readonly string[], input: TaskInput): Promise<Found<'perplexity'>> {
  const scored: {readonly nats: number; readonly tokens: number; readonly bytes: number}[] = [];
  for (let at = 0; at < texts.length; at += documentsAtOnce)
    scored.push(...(await scoreTexts(texts.slice(at, at + documentsAtOnce), task.language, input)));
  const sum = (name: 'nats' | 'tokens' | 'bytes'): number =>
    scored.reduce((all, each) => all + each[name], 0);
  const [nats, tokens, bytes] = [sum('nats'), sum('tokens'), sum('bytes')];
  const documents = scored.map((each): [number, number] => [each.nats / Math.LN2, each.bytes]);
  return {
    type: 'perplexity',
    language: task.language,
    items: itemsOf(texts),
    count: texts.length,
    tokens,
    bytes,
    natsPerToken: nats / tokens,
    perplexity: Math.exp(nats / tokens),
    bitsPerByte: nats / Math.LN2 / bytes,
    interval: ratioInterval(documents, input.suite),
    documents,
  };
}

async function readAll(
  {files, limit = Infinity, format, field}: Task,
  {option, signal}: TaskInput,
): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  const options = {option, ...(signal && {signal}), ...(format && {format}), ...(field && {field})};
  for (const file of await expandPatterns(files, option))
    for await (const documents of readDocuments(file, options)) {
      all.push(...documents);
      if (all.length >= limit) return all.slice(0, limit);
    }
  if (all.length === 0) throw new CrossmapError('ERR_DATA', `no document in ${files.join(', ')} (${option})`);
  return all;
}

/** Each text as `<bos> <xx> text <eos>`; of a long one each token once, with half a context before it. */
async function scoreTexts(
  texts: readonly string[],
  language: string,
  {decoder, tokenizer, config, signal}: TaskInput,
): Promise<{readonly nats: number; readonly tokens: number; readonly bytes: number}[]> {
  const encoded = await tokenizer.encodeAll(texts);
  const leading = [tokenizer.bos, tokenizer.language(language)];
  const pieces = encoded.map((tokens) =>
    windows(tokens.length, decoder.shape.context).map(({start, end, counted}): Continuation => ({
      context: [...leading, ...tokens.subarray(start, counted)],
      tokens: [...tokens.subarray(counted, end), ...(end === tokens.length ? [tokenizer.eos] : [])],
    })),
  );
  const scores = await scoreContinuations(decoder, pieces.flat(), {
    tokensPerBatch: config.training.tokensPerBatch,
    ...(signal && {signal}),
  });
  let at = 0;
  return texts.map((text, index) => {
    const own = pieces[index] ?? [];
    let nats = 0;
    for (const score of scores.subarray(at, (at += own.length))) nats -= score;
    const tokens = own.reduce((sum, piece) => sum + piece.tokens.length, 0);
    return {nats, tokens, bytes: Buffer.byteLength(text)};
  });
}
