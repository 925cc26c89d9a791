/** What lies in a folder, to compare it. */
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';

/** The files of a folder, hidden ones too, by their paths within it. */
export async function treeOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const files = entries.filter((entry) => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
  const named = files
    .sort()
    .map(async (file) => [file.slice(folder.length + 1), await readFile(file)] as const);
  return new Map(await Promise.all(named));
}

/** @throws an error that names the first file that one folder lacks, or that differs */
export function requireSame(
  got: ReadonlyMap<string, Buffer>,
  wanted: ReadonlyMap<string, Buffer>,
  except: readonly string[] = [],
): void {
  const names = (tree: ReadonlyMap<string, Buffer>): string => [...tree.keys()].join('\n');
  if (names(got) !== names(wanted))
    throw new Error(`these files were to be there:\n${names(wanted)}\nand these are:\n${names(got)}`);
  for (const [name, bytes] of wanted)
    if (!except.includes(name) && !got.get(name)?.equals(bytes)) throw new Error(`${name} differs`);
}
