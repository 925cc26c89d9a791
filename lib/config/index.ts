/**
 * Configuration of a run: YAML in, one checked and completed object out.
 *
 * @module crossmap/config
 */
export {configLanguages, type Config} from './config.js';
export {configJsonSchema, type JsonSchema} from './json-schema.js';
export {loadConfig, parseConfig, type LoadOptions, type ParseOptions} from './load.js';
export {describeOptions, type OptionDescription} from './options.js';
export type {ConfigInput} from './schema.js';
export {starterConfig, starterSizes, type StarterOptions, type StarterSize} from './starter.js';
export {stageEnds} from './stages.js';
export {loadSuite, parseSuite, suiteJsonSchema, type Suite, type SuiteTask} from './suite.js';
export type {MeasureName} from './suite-schema.js';
