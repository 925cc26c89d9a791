/**
 * Run as a child that is killed: publishes folders step-1, step-2, ... and the file `latest` that names the newest, without end.
 * Each step of the work writes one byte to standard output, so that the parent can kill at a chosen step; a finished folder
 * writes its number on a line.
 */
import {createHash} from 'node:crypto';
import {mkdirSync, writeSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {join} from 'node:path';
import {publishDirectory, publishFile, removePublished} from '../../lib/formats/index.js';

const [, , root = ''] = process.argv;

async function writeSlowly(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  for (let at = 0; at < text.length; at += 1000) {
    await file.write(text.slice(at, at + 1000));
    writeSync(1, '.');
  }
  await file.close();
}

for (let step = 1; ; step++) {
  const weights = String(step).repeat(3000);
  const hash = createHash('sha256').update(weights).digest('hex');
  await publishDirectory(join(root, `step-${step}`), async (folder) => {
    mkdirSync(join(folder, 'deep'));
    await writeSlowly(join(folder, 'hash'), hash);
    await writeSlowly(join(folder, 'deep', 'weights'), weights);
  });
  await publishFile(join(root, 'latest'), (file) => writeSlowly(file, JSON.stringify({step, weights, hash})));
  if (step > 2) await removePublished(join(root, `step-${step - 2}`));
  writeSync(1, `\n${step}\n`);
}
