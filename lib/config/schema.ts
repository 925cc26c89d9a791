/** The configuration of a run: one schema that yields the types, the errors, the help and the published JSON schema. */
import {z} from 'zod';
import {data, tokenizer} from './data.js';
import {choice, section, text, wholeNumber} from './fields.js';
import {model} from './model.js';
import {objectives} from './objectives.js';
import {evaluation, training} from './training.js';

export const configSchema = section({
  name: text().exactOptional().describe('Name of the run; default the name of the file.'),
  output: text().exactOptional().describe('Folder of the run; default runs/<name> in the current folder.'),
  seed: wholeNumber(0).default(1).describe('Decides initialisation, order of the data and samples.'),
  device: choice(['auto', 'cpu', 'cuda', 'simt'])
    .default('auto')
    .describe('Where the run computes; `auto` takes cuda where there is one.'),
  dtype: choice(['float32', 'bfloat16', 'float16'])
    .default('float32')
    .describe('Dtype of weights and activations; sums and the optimiser are float32 anyway.'),
  threads: z
    .union([choice(['auto']), wholeNumber(1)], {error: 'auto, or a whole number, 1 or more'})
    .default('auto')
    .describe('Threads of the CPU device; `auto` takes one for each core.'),
  data: data.describe('Which text the run learns from.'),
  tokenizer: tokenizer.prefault({}).describe('How text becomes tokens.'),
  model: model.prefault({}).describe('Shape of the decoder.'),
  objectives: objectives.prefault({}).describe('What the model is trained for.'),
  training: training.prefault({}).describe('How long and how fast it is trained.'),
  evaluation: evaluation.prefault({}).describe('What is measured on held-out text, and when.'),
});

/** The configuration as a user writes it; the page "Options of a configuration" lists what is in it. */
export type ConfigInput = z.input<typeof configSchema>;

/** The configuration once each option is checked alone; `resolve` completes it. */
export type ParsedConfig = z.output<typeof configSchema>;
