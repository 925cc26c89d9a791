/** What tells whether files and configurations are those that were written. */
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import type {Config} from '../config/index.js';

/** What a file must still be. */
export interface Fingerprint {
  readonly bytes: number;
  readonly sha256: string;
}

/** @throws errors of the file system */
export async function fingerprintOf(path: string): Promise<Fingerprint> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, {highWaterMark: 1 << 20})) {
    if (!(chunk instanceof Uint8Array)) continue; // without an encoding all chunks are bytes
    hash.update(chunk);
    bytes += chunk.length;
  }
  return {bytes, sha256: hash.digest('hex')};
}

export function hashConfig(config: Config): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex');
}

/** An option that two configurations have differently, its values as JSON. */
export interface ConfigDifference {
  /** `training.steps`, `data.parallel[0].file`. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The options in which `after` differs from `before`, both configurations or both a part of one, in the order of the names. */
export function configDifferences<Part extends object>(before: Part, after: Part): ConfigDifference[] {
  const [old, now] = [new Map(leaves('', before)), new Map(leaves('', after))];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((path) => {
    const [a, b] = [old.get(path) ?? 'not set', now.get(path) ?? 'not set'];
    return a === b ? [] : [{path, before: a, after: b}];
  });
}

function* leaves(path: string, value: unknown): Generator<[path: string, value: string]> {
  if (typeof value !== 'object' || value === null) yield [path, JSON.stringify(value)];
  else if (Array.isArray(value))
    for (const [i, item] of value.entries()) yield* leaves(`${path}[${i}]`, item);
  else
    for (const [name, member] of Object.entries(value))
      yield* leaves(path === '' ? name : `${path}.${name}`, member);
}
