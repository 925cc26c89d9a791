/** What the schema found wrong, as sentences that say what would be right. */
import type {z} from 'zod';
import type {JsonSchema} from './json-schema.js';
import {descriptionAt, describeOptions, optionsAt, pathText, type Path} from './options.js';
import {nearest} from './suggest.js';

/** One mistake: the option it is about and a sentence. */
export interface Complaint {
  readonly path: Path;
  readonly sentence: string;
}

/** What is checked. */
interface Checked {
  /** `the configuration` */
  readonly what: string;
  readonly schema: JsonSchema;
}

/** The mistakes that one issue of a schema stands for. */
export function complaintsOf(issue: z.core.$ZodIssue, {what, schema}: Checked): Complaint[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({path: [...path, key], sentence: unknownOption(schema, path, key)}));
  const name = path.length === 0 ? what : pathText(path);
  const input = inputOf(issue);
  if (input === undefined)
    return [{path, sentence: `${name} is required: ${descriptionAt(schema, path)}`.replace(/: $/, '')}];
  const meant = typeof input === 'string' ? nearest(input, wordsOf(issue)) : undefined;
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return [{path, sentence: `${name} must be ${rightValue(issue)}; got ${shown(input)}${hint}`}];
}

/** A value in at most 60 characters. */
function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function unknownOption(schema: JsonSchema, path: Path, key: string): string {
  const options = optionsAt(schema, path);
  const sentence = `${pathText([...path, key])} is not an option`;
  const meant = nearest(key, options) ?? elsewhere(schema, key);
  if (meant !== undefined) return `${sentence}; did you mean ${meant}?`;
  return options.length === 0 ? sentence : `${sentence}; the options here are ${options.join(', ')}`;
}

/** The full path, the shortest if several, of the option of another section that is called so. */
function elsewhere(schema: JsonSchema, key: string): string | undefined {
  const paths = describeOptions(schema).map(({path}) => path);
  const last = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
  const name = nearest(key, paths.map(last));
  const depth = (path: string): number => path.split('.').length;
  return paths.filter((path) => last(path) === name).sort((a, b) => depth(a) - depth(b))[0];
}

/** What the option takes: the schema's own phrase, or the types that a section is chosen by. */
function rightValue(issue: z.core.$ZodIssue): string {
  return noSuchSection(issue) ? `one of ${(issue.options ?? []).map(String).join(', ')}` : issue.message;
}

/** The value that was given. For a section chosen by its type, the issue carries the section: take the type. */
function inputOf(issue: z.core.$ZodIssue): unknown {
  const {input} = issue;
  if (!noSuchSection(issue) || typeof input !== 'object' || input === null) return input;
  return Object.getOwnPropertyDescriptor(input, issue.discriminator ?? '')?.value;
}

type NoSuchSection = Extract<z.core.$ZodIssueInvalidUnion, {readonly options?: unknown}>;

/** Whether the issue says that no section has the given type. */
function noSuchSection(issue: z.core.$ZodIssue): issue is NoSuchSection {
  return issue.code === 'invalid_union' && 'options' in issue && issue.path.at(-1) === issue.discriminator;
}

/** The words that the option takes. */
function wordsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union') return issue.errors.flatMap((branch) => branch.flatMap(wordsOf));
  return [];
}
