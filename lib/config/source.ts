/** The text of a configuration with the overrides of the command line, and where each option comes from. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type ParsedNode,
} from 'yaml';
import type {Path} from './options.js';
import {applyOverride, readOverride, type Override} from './override.js';

export interface ConfigSource {
  /** The options as plain values; those without a value are left out. */
  readonly value: unknown;
  /** Whole sentences about what cannot be read at all. */
  readonly problems: readonly string[];
  /** Where an option, or else the section nearest to it, was given: `train.yaml:14` or `--set a.b`. */
  readonly where: (path: Path) => string;
  /** Whether the option was given by an override. */
  readonly isOverride: (path: Path) => boolean;
}

/**
 * Reads YAML and puts overrides of the form `a.b=c` over it.
 *
 * @param file as errors name it
 */
export function readSource(text: string, file: string, set: readonly string[]): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, merge: true, prettyErrors: false});
  const read = set.map(readOverride);
  const overrides = read.flatMap((each) => (typeof each === 'string' ? [] : [each]));
  const problems = [
    ...document.errors.map(
      (error) => `${file}:${lines.linePos(error.pos[0]).line}: is not valid YAML: ${error.message}`,
    ),
    ...read.filter((each) => typeof each === 'string'),
  ];
  const overrideOf = (path: Path): Override | undefined =>
    overrides.findLast((each) => sharedParts(each, path) === each.path.length);
  const source = {
    problems,
    where: (path: Path) => {
      const place = placeOf(document, path);
      const near = overrideOf(path) ?? overrides.findLast((each) => sharedParts(each, path) > place.depth);
      return near
        ? `--set ${near.path.join('.')}`
        : `${file}:${Math.max(1, lines.linePos(place.offset).line)}`;
    },
    isOverride: (path: Path) => overrideOf(path) !== undefined,
  };
  if (problems.length > 0) return {...source, value: undefined};
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {...source, value: undefined, problems: [`${file}:1: is not valid YAML: ${message}`]};
  }
  const misplaced = overrides.flatMap((each) => applyOverride(value, each) ?? []);
  return {...source, value: withoutNulls(value), problems: misplaced};
}

/** How many parts from the start the two have in common. */
function sharedParts(override: Override, path: Path): number {
  const differs = override.path.findIndex((part, index) => part !== String(path[index]));
  return differs < 0 ? override.path.length : differs;
}

interface Place {
  /** Of the key or item at the path, or of the deepest one above it that the text has. */
  readonly offset: number;
  /** How many parts of the path the text has. */
  readonly depth: number;
}

function placeOf(document: Document.Parsed, path: Path): Place {
  let node: Node | null | undefined = document.contents;
  let place: Place = {offset: document.contents?.range[0] ?? 0, depth: 0};
  for (const part of path) {
    const step: Step | undefined = stepInto(isAlias(node) ? node.resolve(document) : node, part);
    if (step === undefined) break;
    place = {offset: step.offset, depth: place.depth + 1};
    node = step.node;
  }
  return place;
}

interface Step {
  readonly offset: number;
  readonly node: Node | null;
}

function stepInto(node: Node | null | undefined, part: string | number): Step | undefined {
  if (isMap<ParsedNode, ParsedNode | null>(node)) {
    const pair = node.items.find(({key}) => isScalar(key) && String(key.value) === String(part));
    return pair && {offset: pair.key.range[0], node: pair.value};
  }
  if (isSeq<ParsedNode>(node)) {
    const item = node.items[Number(part)];
    return item && {offset: item.range[0], node: item};
  }
  return undefined;
}

/** An option without a value is an option that was not given. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(each)]])),
  );
}
