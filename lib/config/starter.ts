/** A configuration to start from: what is needed as it must be, the other options as comments, with their meaning and default. */
import {dirname, relative, resolve} from 'node:path';
import {stringify} from 'yaml';
import {configLanguages, type Config} from './config.js';
import {configJsonSchema, type JsonSchema} from './json-schema.js';
import {parseConfig} from './load.js';
import type {ConfigInput} from './schema.js';
import {sizeSettings, type StarterSize} from './starter-sizes.js';

export {starterSizes, type StarterSize} from './starter-sizes.js';

/** What a starter is made for. */
export interface StarterOptions {
  /** Default `small`. */
  readonly size?: StarterSize;
  /** Text of one language each, as `data.monolingual`; files relative to the configuration. */
  readonly monolingual?: ConfigInput['data']['monolingual'];
  /** Sentence pairs, as `data.parallel`. Without any, the recipe is `mono`. */
  readonly parallel?: ConfigInput['data']['parallel'];
  /** Whether every option is written; default: those that are changed most often. */
  readonly all?: boolean;
  /** Name of the file that the text is for; default train.yaml. */
  readonly file?: string;
}

/** Options that are changed most often. */
export const commonOptions: ReadonlySet<string> = new Set([
  'name',
  'output',
  'seed',
  'device',
  'dtype',
  'data.root',
  'data.monolingual',
  'data.parallel',
  'data.heldOut.documentShare',
  'data.heldOut.pairs',
  'data.alpha',
  'data.maxEpochs',
  'data.mappingShare',
  'data.mappingSchedule',
  'tokenizer.file',
  'model.kvHeads',
  'model.hiddenFeatures',
  'objectives.recipe',
  'objectives.contrastive.weight',
  'objectives.contrastive.layer',
  'training.from',
  'training.accumulation',
  'training.warmupSteps',
  'training.schedule',
  'training.activationCheckpointing',
  'training.checkpointEvery',
  'evaluation.every',
  'evaluation.pairs',
  'evaluation.samples',
]);

/** It needs a name in every entry of `data.parallel`: no line by itself. */
const leftOut: ReadonlySet<string> = new Set(['data.stages']);

/**
 * A configuration in YAML, made from the schema. A line that begins with `#name:` is an option at its default: without its `#` it is in
 * force, and the configuration is still valid. Lines that begin with `# ` explain.
 *
 * @throws ERR_CONFIG where the text that was asked for makes no configuration
 */
export function starterConfig(options: StarterOptions = {}): string {
  const {monolingual, parallel, size = 'small', all = false, file = 'train.yaml'} = options;
  const {dtype, ...sized} = sizeSettings[size];
  const active = {
    ...(dtype && {dtype}),
    data: {...(monolingual && {monolingual}), ...(parallel && {parallel})},
    ...sized,
    ...(!parallel && {objectives: {recipe: 'mono'}}),
  };
  const config = parseConfig(stringify(active), {file});
  const schema = configJsonSchema();
  const write = createWriter({all, defaults: defaultsOf(config, file)});
  const text = [...introduction(file, all), ...write.members(schema, active, '')].join('\n');
  parseConfig(text, {file});
  return `${text}\n`;
}

function introduction(file: string, all: boolean): string[] {
  return [
    '# What to train on, which model, for how long.',
    '#',
    `#   crossmap data ${file}           reads the text and tells what is in it`,
    `#   crossmap train ${file} --page   trains; run it again to go on where it stopped`,
    '#',
    '# A line such as "#seed: 1" is an option at its default: take the # away to change it.',
    ...(all
      ? []
      : ['# There are more: crossmap init --all writes every one, crossmap train --help lists them.']),
    '',
  ];
}

/** Values that are derived from others, as the configuration has them; files as a user writes them, and text that might be added. */
function defaultsOf(config: Config, file: string): unknown {
  const {monolingual = [], parallel} = config.data;
  const [source, target] = monolingual.map(({language}) => language);
  const pairs =
    source !== undefined && target !== undefined && source !== target
      ? [{source, target, file: 'pairs.tsv'}]
      : undefined;
  const texts = configLanguages(config).map((language) => ({language, files: `${language}.txt`}));
  return {
    ...config,
    output: relative(dirname(resolve(file)), config.output).replaceAll('\\', '/'),
    data: {...config.data, root: '.', monolingual: texts, parallel: pairs},
    objectives: {...config.objectives, recipe: parallel ? 'full' : 'mono'},
  };
}

interface WriterOptions {
  readonly all: boolean;
  /** A configuration; `undefined` inside where an option has no value. */
  readonly defaults: unknown;
}

interface Writer {
  /** The members of a section. @param path of the section, with a dot behind it; empty for the whole */
  members(section: JsonSchema, active: object, path: string): string[];
}

/** Where an option is. */
interface Place {
  /** What it is set to; undefined where it is left at its default. */
  readonly value: unknown;
  readonly path: string;
  readonly isNeeded: boolean;
}

const width = 110;

function createWriter({all, defaults}: WriterOptions): Writer {
  const members = (section: JsonSchema, active: object, path: string): string[] =>
    Object.entries(section.properties ?? {}).flatMap(([name, node]) =>
      typeof node === 'boolean'
        ? []
        : member(name, node, {
            value: valueIn(active, name),
            path: `${path}${name}`,
            isNeeded: section.required?.includes(name) ?? false,
          }),
    );
  const member = (name: string, node: JsonSchema, {value, path, isNeeded}: Place): string[] => {
    if (leftOut.has(path)) return [];
    const about = explained(node.description ?? '');
    if (node.properties && (isNeeded || node.default !== undefined)) {
      const inside = members(node, typeof value === 'object' && value !== null ? value : {}, `${path}.`);
      const gap = path.includes('.') || inside.length === 0 ? [] : [''];
      return inside.length === 0 ? [] : [...gap, ...about, `${name}:`, ...indented(inside)];
    }
    const items = itemsOf(node);
    if (Array.isArray(value) && items)
      return [...about, `${name}:`, ...indented(listed(items, value, `${path}[]`))];
    if (value !== undefined) return [...about, `${name}: ${flow(value)}`];
    const preset = valueAt(defaults, path) ?? node.default ?? node.examples?.[0];
    if (preset === undefined || !(all || commonOptions.has(path))) return [];
    return [...about, `#${name}: ${flow(preset)}`];
  };
  /** The first item has the options that items have, the others what is needed. */
  const listed = (item: JsonSchema, values: readonly unknown[], path: string): string[] =>
    values.flatMap((value, i) => {
      if (i > 0 || !all) return [`- ${flow(value)}`];
      const given = typeof value === 'object' && value !== null ? value : {};
      const lines = members(withoutAlternatives(item, given), given, `${path}.`);
      const first = lines.findIndex((line) => !line.startsWith('#'));
      return [...lines.slice(0, first), `- ${lines[first] ?? ''}`, ...indented(lines.slice(first + 1))];
    });
  return {members};
}

/** `file` and `files` of sentence pairs exclude each other, and what belongs to the one. */
function withoutAlternatives(item: JsonSchema, given: object): JsonSchema {
  const properties = Object.entries(item.properties ?? {});
  if (!properties.some(([name]) => name === 'file')) return item;
  const others = 'file' in given ? ['files'] : ['file', 'format', 'columns', 'fields'];
  return {...item, properties: Object.fromEntries(properties.filter(([name]) => !others.includes(name)))};
}

function itemsOf({items}: JsonSchema): JsonSchema | undefined {
  return typeof items === 'object' && !Array.isArray(items) && items.properties ? items : undefined;
}

function valueIn(section: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(section, name)?.value;
}

function valueAt(root: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? valueIn(value, name) : undefined),
      root,
    );
}

const indented = (lines: readonly string[]): string[] =>
  lines.map((line) => (line === '' ? '' : `  ${line}`));

/** A value on one line. */
function flow(value: unknown): string {
  return stringify(value, {collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0}).trim();
}

/** Lines that explain. */
function explained(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length < width) lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    else lines.push(word);
  }
  return text === '' ? [] : lines.map((line) => `# ${line}`);
}
