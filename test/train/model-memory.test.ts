/** Models are imported and exported piece by piece. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {parseConfig} from '../../lib/config/index.js';
import {trainTokenizer} from '../../lib/data/index.js';
import {publishDirectory} from '../../lib/formats/index.js';
import {weightShapes} from '../../lib/nn/index.js';
import {writeModel} from '../../lib/train/checkpoint.js';
import {addedToken, type TokenizerFile} from '../data/foreign-tokenizers.js';
import {temporaryFolder} from '../formats/folder.js';
import {runModule} from '../support/module.js';

const megabyte = 2 ** 20;
const vocabSize = 12288;
const model = {
  layers: 10,
  features: 512,
  heads: 8,
  kvHeads: 8,
  headDim: 64,
  hiddenFeatures: 2048,
  context: 64,
  tiedHead: false,
};

/** Of a table in float32, the largest tensor; and of the whole model: 10 layers of 16 MB, two tables. */
const tableMegabytes = (vocabSize * model.features * 4) / megabyte;
const modelMegabytes = 10 * 16 + 2 * tableMegabytes;

/** Pieces of 4 MB, their copies in other dtypes, and what waits to be collected: less than half the model, whatever its size. */
const mostMegabytes = 96;

/** When garbage is collected is chance, which can only add to a peak. */
async function lowestPeakOf(statement: string): Promise<number> {
  let lowest = Infinity;
  for (let run = 0; run < 3 && lowest >= mostMegabytes; run++)
    lowest = Math.min(lowest, await peakOf(statement));
  return lowest;
}

/** Peak of the resident memory of a process beyond what it has once all is loaded, in megabytes. */
async function peakOf(statement: string): Promise<number> {
  const {exitCode, printed, errors} = await runModule(`
    import {exportModel, importModel} from 'lib/train/index.js';
    import {tensor} from 'lib/tensor/index.js';
    await tensor([1]).data();
    const peak = () => process.resourceUsage().maxRSS / 1024;
    const before = peak();
    await ${statement};
    console.log(peak() - before);
  `);
  if (exitCode !== 0) throw new Error(errors);
  return Number(printed);
}

test('an import or export holds a few pieces of tensors, not the model', async (t) => {
  t.true(mostMegabytes < modelMegabytes / 2);
  const folder = await temporaryFolder(t);
  const file = join(folder, 'tokenizer.json');
  await trainTokenizer(['one two'], {vocabSize: 300, languages: ['en'], file});
  const tokenizer = JSON.parse(await readFile(file, 'utf8')) as TokenizerFile;
  tokenizer.added_tokens.push(addedToken(vocabSize - 1, '<last>'));
  const config = parseConfig(JSON.stringify({data: {}, model}), {needsText: false});
  const weights = [...weightShapes({...config.model, vocabSize})].map(([name, shape]) => ({
    name,
    dtype: 'float32' as const,
    shape,
    data: async () => new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
  }));
  const [checkpoint, hf, imported] = ['checkpoint', 'hf', 'imported'].map((name) => join(folder, name));
  await publishDirectory(checkpoint!, (temporary) =>
    writeModel(temporary, {config, weights, tokenizerJson: JSON.stringify(tokenizer)}),
  );
  const exported = await peakOf(
    `exportModel('${checkpoint}', '${hf}', {dtype: 'bfloat16', maxShardBytes: 5e7})`,
  );
  const back = await lowestPeakOf(
    `importModel('${hf}', '${imported}', {languages: ['en', 'cs', 'de'], dtype: 'float32', force: true})`,
  );
  t.log(`model ${modelMegabytes} MB, largest tensor ${tableMegabytes} MB: peaks ${exported} and ${back} MB`);
  t.true(exported < mostMegabytes);
  t.true(back < mostMegabytes);
});
