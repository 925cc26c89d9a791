/** What options there are, read from a JSON schema: for the help and for suggestions in errors. */
import {configJsonSchema, type JsonSchema} from './json-schema.js';

/** Names of options, and numbers of items in lists, from the outermost section inwards. */
export type Path = readonly (string | number)[];

/** An option as the help tells it. */
export interface OptionDescription {
  /** Names joined by dots; `[]` stands for an item of a list. */
  readonly path: string;
  /** What it does, with its default where that is not a constant. */
  readonly description: string;
  /** What it takes: `number`, `constant | late | list`, ... */
  readonly type: string;
  /** Absent where there is none, or where the description tells it. */
  readonly default?: unknown;
}

/** Every option that takes a value, in the order of the schema; default that of a configuration. */
export function describeOptions(schema: JsonSchema = configJsonSchema()): OptionDescription[] {
  return merged([schema]).flatMap(([name, node]) => describe(name, node));
}

/** The names of the options of the section at `path`; empty where there is none. */
export function optionsAt(schema: JsonSchema, path: Path): string[] {
  return merged(nodesAt(schema, path)).map(([name]) => name);
}

/** The description of the option at `path`, or an empty string. */
export function descriptionAt(schema: JsonSchema, path: Path): string {
  return nodesAt(schema, path).find((node) => node.description !== undefined)?.description ?? '';
}

/** `data.parallel[2].source`: a path as a person writes it. */
export function pathText(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

function describe(path: string, node: JsonSchema): OptionDescription[] {
  const inside = merged(branches(node));
  if (inside.length > 0) return inside.flatMap(([name, child]) => describe(`${path}.${name}`, child));
  const items = merged(branches(node).flatMap(itemsOf).flatMap(branches));
  if (items.length > 0) return items.flatMap(([name, child]) => describe(`${path}[].${name}`, child));
  const value = node.default === undefined ? {} : {default: node.default};
  return [{path, description: node.description ?? '', type: typeText(node), ...value}];
}

/** The members of sections by name. Where several have a name, such as `type`, its choices are joined. */
function merged(sections: readonly JsonSchema[]): [string, JsonSchema][] {
  const byName = new Map<string, JsonSchema>();
  for (const {properties = {}} of sections)
    for (const [name, member] of Object.entries(properties).map(
      ([key, each]) => [key, plain(each)] as const,
    )) {
      const before = byName.get(name);
      const choices = before?.enum && member.enum ? [...before.enum, ...member.enum] : undefined;
      byName.set(name, choices ? {description: 'Which kind.', enum: choices} : (before ?? member));
    }
  return [...byName];
}

function nodesAt(schema: JsonSchema, path: Path): JsonSchema[] {
  let nodes = branches(schema);
  for (const part of path) nodes = nodes.flatMap((node) => childAt(node, part)).flatMap(branches);
  return nodes;
}

function childAt(node: JsonSchema, part: string | number): JsonSchema[] {
  if (typeof part === 'string')
    return merged([node]).flatMap(([name, member]) => (name === part ? [member] : []));
  return [...itemsOf(node), ...(node.prefixItems ?? []).slice(part, part + 1).map(plain)];
}

/** A schema and the alternatives in it. */
function branches(node: JsonSchema): JsonSchema[] {
  return [node, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(branches)];
}

function itemsOf({items}: JsonSchema): JsonSchema[] {
  return typeof items === 'object' && !Array.isArray(items) ? [items] : [];
}

/** JSON schema lets `true` and `false` stand for schemas; they say nothing that is needed here. */
function plain(node: JsonSchema | boolean): JsonSchema {
  return typeof node === 'boolean' ? {} : node;
}

function typeText(node: JsonSchema): string {
  if (node.enum !== undefined) return node.enum.join(' | ');
  const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (choices.length > 0) return [...new Set(choices.map(typeText))].join(' | ');
  if (typeof node.type !== 'string') return 'any';
  const words: Partial<Record<string, string>> = {
    array: 'list',
    string: 'text',
    integer: 'whole number',
    boolean: 'true | false',
  };
  return words[node.type] ?? node.type;
}
