/** A temporary folder that is gone when the test is over. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-formats-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  return folder;
}
