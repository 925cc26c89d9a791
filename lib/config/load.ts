/** Reads a configuration: YAML, overrides, schema, cross-checks, completion. */
import {check} from './check.js';
import {checked, readFileOf, refuseMistakes} from './checked.js';
import type {Config} from './config.js';
import {resolve} from './resolve.js';
import {configSchema} from './schema.js';
import {readSource} from './source.js';

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
  /** Whether there must be text to train on; default true. A model from elsewhere has none. */
  readonly needsText?: boolean;
}

/**
 * Reads, checks and completes the configuration in `path`.
 *
 * @throws ERR_IO where the file cannot be read; ERR_CONFIG with one line for each mistake
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  return parseConfig(await readFileOf('configuration', path), {...options, file: path});
}

/**
 * Checks and completes the configuration in `text`, which is YAML or JSON.
 *
 * @throws ERR_CONFIG with one line for each mistake: where, what, what would be right
 */
export function parseConfig(text: string, options: ParseOptions = {}): Config {
  const {file = 'config.yaml', set = [], currentFolder = process.cwd(), needsText = true} = options;
  const {data, source} = checked(configSchema, readSource(text, file, set), 'the configuration');
  const config = resolve(data, {file, currentFolder, isOverride: source.isOverride});
  refuseMistakes(source, check(config, {needsText}));
  return config;
}
