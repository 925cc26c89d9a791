/** A file that is written piece by piece and appears once it is whole. */
import {open, rename, rm, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {CrossmapError} from '../errors.js';
import {flush, inOut, temporaryFor} from './atomic.js';

/** A file that is being written under a temporary name. */
export interface GrowingFile {
  /** @throws ERR_IO */
  append(text: string): Promise<void>;
  /** The file appears, in place of the one that is there. @throws ERR_IO */
  publish(): Promise<void>;
  /** Leaves what was there, unless it was published. */
  discard(): Promise<void>;
}

/** @throws ERR_IO where no file can be made beside `path`, or a folder stands there */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  const temporary = temporaryFor(path);
  const isFolder = await stat(path).then(
    (known) => known.isDirectory(),
    () => false,
  );
  if (isFolder) throw new CrossmapError('ERR_IO', `cannot write ${path}: a folder stands there`);
  const file = await inOut('write', path, () => open(temporary, 'wx'));
  let isOver = false;
  return {
    append: (text) => inOut('write', path, () => file.appendFile(text)),
    publish: () =>
      inOut('write', path, async () => {
        await file.sync();
        await file.close();
        await rename(temporary, path);
        isOver = true;
        await flush(dirname(path));
      }),
    async discard() {
      if (isOver) return;
      isOver = true;
      await file.close();
      await rm(temporary, {force: true});
    },
  };
}
