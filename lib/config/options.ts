/** What options there are, read from the JSON schema: for the help and for suggestions in errors. */
import {configJsonSchema, type JsonSchema} from './json-schema.js';

export type Path = readonly (string | number)[];

export interface OptionDescription {
  /** Names joined by dots; `[]` stands for an item of a list. */
  readonly path: string;
  readonly description: string;
  /** What it takes: `number`, `constant | late | list`, ... */
  readonly type: string;
  /** Absent where there is none, or where the description tells it. */
  readonly default?: unknown;
}

/** Every option that takes a value, in the order of the schema. */
export function describeOptions(): OptionDescription[] {
  return Object.entries(configJsonSchema().properties ?? {}).flatMap(([name, node]) => describe(name, node));
}

/** The names of the options of the section at `path`; empty where there is none. */
export function optionsAt(path: Path): string[] {
  return [...new Set(nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** The first sentence of the description of the option at `path`, or an empty string. */
export function descriptionAt(path: Path): string {
  return nodesAt(path).find((node) => node.description !== undefined)?.description ?? '';
}

/** `data.parallel[2].source`: a path as a person writes it. */
export function pathText(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

function describe(path: string, node: JsonSchema): OptionDescription[] {
  const inside = sectionsOf(node);
  if (inside.length > 0) return merged(inside).flatMap(([name, child]) => describe(`${path}.${name}`, child));
  const items = listItems(node);
  if (items.length > 0) return merged(items).flatMap(([name, child]) => describe(`${path}[].${name}`, child));
  const value = node.default === undefined ? {} : {default: node.default};
  return [{path, description: node.description ?? '', type: typeText(node), ...value}];
}

/** The members of several sections by name; of a name that all have, such as `type`, the choices are joined. */
function merged(sections: readonly JsonSchema[]): [string, JsonSchema][] {
  const byName = new Map<string, JsonSchema[]>();
  for (const each of sections)
    for (const [name, child] of Object.entries(each.properties ?? {}))
      byName.set(name, [...(byName.get(name) ?? []), child]);
  return [...byName].map(([name, [first, ...more]]) => [
    name,
    more.length === 0 || first?.enum === undefined
      ? (first ?? {})
      : {description: 'Which of them.', anyOf: [first, ...more]},
  ]);
}

function nodesAt(path: Path): JsonSchema[] {
  return path
    .reduce<JsonSchema[]>(
      (nodes, part) => nodes.flatMap(branches).flatMap((node) => child(node, part)),
      [configJsonSchema()],
    )
    .flatMap(branches);
}

function branches(node: JsonSchema): JsonSchema[] {
  return [node, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(branches)];
}

function child(node: JsonSchema, part: string | number): JsonSchema[] {
  if (typeof part === 'string')
    return Object.hasOwn(node.properties ?? {}, part) ? [node.properties?.[part] ?? {}] : [];
  return [...(node.items ? [node.items] : []), ...(node.prefixItems?.[part] ? [node.prefixItems[part]] : [])];
}

function sectionsOf(node: JsonSchema): JsonSchema[] {
  return branches(node).filter((branch) => branch.properties !== undefined);
}

function listItems(node: JsonSchema): JsonSchema[] {
  return branches(node).flatMap((branch) => (branch.items ? sectionsOf(branch.items) : []));
}

function typeText(node: JsonSchema): string {
  if (node.const !== undefined) return String(node.const);
  if (node.enum !== undefined) return node.enum.join(' | ');
  const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (choices.length > 0) return [...new Set(choices.map(typeText))].join(' | ');
  return (
    {array: 'list', string: 'text', integer: 'whole number', boolean: 'true | false'}[node.type ?? ''] ??
    node.type ??
    'any'
  );
}
