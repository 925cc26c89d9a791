/** Completes a configuration: defaults that depend on other options, the recipe's weights, absolute files. */
import {basename, extname, resolve as resolvePath} from 'node:path';
import type {Config} from './config.js';
import {recipes} from './objectives.js';
import type {Path} from './options.js';
import type {ParsedConfig} from './schema.js';

interface ResolveOptions {
  /** The file that the configuration came from; its folder is where relative files start. */
  readonly file: string;
  /** The current folder, where files given on the command line start. */
  readonly currentFolder: string;
  /** Whether the option was given on the command line. */
  readonly isOverride: (path: Path) => boolean;
}

export function resolve(parsed: ParsedConfig, options: ResolveOptions): Config {
  const name = parsed.name ?? basename(options.file, extname(options.file));
  return {
    ...parsed,
    name,
    output: parsed.output
      ? resolvePath(folderOf(['output'], options), parsed.output)
      : resolvePath(options.currentFolder, 'runs', name),
    ...resolveFiles(parsed, options),
    model: resolveModel(parsed.model),
    objectives: resolveObjectives(parsed),
    training: {
      ...parsed.training,
      ...(parsed.training.from && {
        from: resolvePath(folderOf(['training', 'from'], options), parsed.training.from),
      }),
      warmupSteps: parsed.training.warmupSteps ?? Math.round(parsed.training.steps / 50),
    },
  };
}

function folderOf(path: Path, {file, currentFolder, isOverride}: ResolveOptions): string {
  return isOverride(path) ? currentFolder : resolvePath(currentFolder, file, '..');
}

function resolveFiles({data, tokenizer}: ParsedConfig, options: ResolveOptions) {
  const root = resolvePath(folderOf(['data', 'root'], options), data.root);
  const at = (path: Path, file: string): string =>
    file === '-' ? file : resolvePath(options.isOverride(path) ? options.currentFolder : root, file);
  const monolingual = data.monolingual?.map((corpus, index) => ({
    ...corpus,
    files: corpus.files.map((file) => at(['data', 'monolingual', index, 'files'], file)),
  }));
  const parallel = data.parallel?.map(({files, file, ...corpus}, index) => {
    const path = ['data', 'parallel', index];
    const two: [string, string] | undefined = files && [
      at([...path, 'files'], files[0]),
      at([...path, 'files'], files[1]),
    ];
    return {
      ...corpus,
      ...(two && {files: two}),
      ...(file && {file: file.map((each) => at([...path, 'file'], each))}),
    };
  });
  return {
    data: {...data, root, ...(monolingual && {monolingual}), ...(parallel && {parallel})},
    tokenizer: {...tokenizer, ...(tokenizer.file && {file: at(['tokenizer', 'file'], tokenizer.file)})},
  };
}

function resolveModel({slidingWindow, ...model}: ParsedConfig['model']): Config['model'] {
  const layers = slidingWindow?.layers ?? Array.from({length: model.layers}, (_, index) => index + 1);
  return {
    ...model,
    kvHeads: model.kvHeads ?? model.heads,
    headDim: model.headDim ?? model.features / model.heads,
    hiddenFeatures: model.hiddenFeatures ?? Math.ceil((model.features * 8) / 3 / 64) * 64,
    ...(slidingWindow && {slidingWindow: {size: slidingWindow.size, layers}}),
  };
}

function resolveObjectives({objectives, model}: ParsedConfig): Config['objectives'] {
  const {recipe = 'full', next, mapping, contrastive} = objectives;
  const weights = recipes[recipe];
  const layer = contrastive.layer ?? Math.max(1, Math.round(model.layers / 2));
  return {
    next: {...next, weight: next.weight ?? weights.next},
    mapping: {...mapping, weight: mapping.weight ?? weights.mapping},
    contrastive: {
      ...contrastive,
      weight: contrastive.weight ?? weights.contrastive,
      layer: typeof layer === 'number' ? [layer] : layer,
    },
  };
}
