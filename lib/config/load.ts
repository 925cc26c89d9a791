/** Reads a configuration: YAML, overrides, schema, cross-checks, completion. */
import {readFile} from 'node:fs/promises';
import {CrossmapError} from '../errors.js';
import {check} from './check.js';
import type {Config} from './config.js';
import {complaintsOf, type Complaint} from './messages.js';
import {resolve} from './resolve.js';
import {configSchema} from './schema.js';
import {readSource, type ConfigSource} from './source.js';

/** How a configuration is read. */
export interface LoadOptions {
  /** Overrides such as `model.layers=2`; the value is YAML, and nothing after `=` restores the default. */
  readonly set?: readonly string[];
  /** Where relative files of overrides and the default output start; default the current folder. */
  readonly currentFolder?: string;
}

/** How a configuration is read, and what its text is called. */
export interface ParseOptions extends LoadOptions {
  /** The file that the text came from: errors name it and relative files start from its folder. Default config.yaml. */
  readonly file?: string;
}

/**
 * Reads, checks and completes the configuration in `path`.
 *
 * @throws ERR_IO where the file cannot be read; ERR_CONFIG with one line for each mistake
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_IO', `configuration ${path} cannot be read: ${reason}`, {cause});
  }
  return parseConfig(text, {...options, file: path});
}

/**
 * Checks and completes the configuration in `text`, which is YAML or JSON.
 *
 * @throws ERR_CONFIG with one line for each mistake: where, what, what would be right
 */
export function parseConfig(text: string, options: ParseOptions = {}): Config {
  const {file = 'config.yaml', set = [], currentFolder = process.cwd()} = options;
  const source = readSource(text, file, set);
  refuse(source.problems);
  const result = configSchema.safeParse(source.value, {reportInput: true});
  if (!result.success) throw mistakes(source, result.error.issues.flatMap(complaintsOf));
  const config = resolve(result.data, {file, currentFolder, isOverride: source.isOverride});
  const complaints = check(config);
  if (complaints.length > 0) throw mistakes(source, complaints);
  return config;
}

/** One line for each mistake, in the order of the file. */
function mistakes(source: ConfigSource, complaints: readonly Complaint[]): CrossmapError {
  const lines = complaints.map(({path, sentence}) => `${source.where(path)}: ${sentence}`);
  lines.sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
  return new CrossmapError('ERR_CONFIG', [...new Set(lines)].join('\n'));
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new CrossmapError('ERR_CONFIG', problems.join('\n'));
}
