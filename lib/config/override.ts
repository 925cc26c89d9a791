/** Overrides of single options: `--set model.layers=2`. */
import {parse} from 'yaml';

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Reads `a.b=c`, the value as YAML; an item of a list is `a.0` or `a[0]`. Where it cannot, returns what is wrong. */
export function readOverride(text: string): Override | string {
  const equals = text.indexOf('=');
  const name = (equals < 0 ? text : text.slice(0, equals)).trim();
  const path = name.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (equals < 0 || path.includes(''))
    return `--set ${text}: must be name=value, with dots between the parts of the name: --set model.layers=2`;
  try {
    const value: unknown = parse(text.slice(equals + 1), {prettyErrors: false});
    return {path, value};
  } catch (error) {
    return `--set ${name}: the value is not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Puts the value in its place in `root`. Returns an error as a sentence where a list has no such item. */
export function applyOverride(root: unknown, {path, value}: Override): string | undefined {
  let target = root;
  for (const [depth, part] of path.entries()) {
    if (typeof target !== 'object' || target === null) return undefined; // the schema refuses what is no section
    if (Array.isArray(target) && !(Number(part) >= 0 && Number(part) <= target.length))
      return `--set ${path.join('.')}: ${path.slice(0, depth).join('.')} is a list: its items are numbered from 0, and ${target.length} adds one`;
    const own: unknown = Object.getOwnPropertyDescriptor(target, part)?.value;
    const inside = typeof own === 'object' && own !== null ? own : {};
    const next = depth === path.length - 1 ? value : inside;
    // Never by assignment: a part may be called __proto__.
    Object.defineProperty(target, part, {value: next, enumerable: true, configurable: true, writable: true});
    target = next;
  }
  return undefined;
}
