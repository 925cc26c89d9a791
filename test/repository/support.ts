/** The scripts under test are plain JavaScript outside of the compiled tree: they are loaded by their place. */
import path from 'node:path';
import {pathToFileURL} from 'node:url';

export const root = path.resolve(import.meta.dirname, '../../..');

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
  readonly level: 'error' | 'warning';
}

export type Check = (project: ReadonlyMap<string, string>) => Finding[];

export async function loadScript<Exports>(file: string): Promise<Exports> {
  return (await import(pathToFileURL(path.join(root, file)).href)) as Exports;
}

/** What a check finds in a made-up project, as `file:line message`. */
export function findings(check: Check, files: Record<string, string>): string[] {
  return check(new Map(Object.entries(files))).map(({file, line, message}) => `${file}:${line} ${message}`);
}
