import {existsSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {temporaryFolder} from '../formats/folder.js';
import {crossmap} from './crossmap.js';

test('the demo trains on the bundled text and ends with scores, translations, the report and an honest word', async (t) => {
  const folder = await temporaryFolder(t);
  const set = [
    'training.steps=4',
    'training.warmupSteps=1',
    'training.tokensPerBatch=1024',
    'evaluation={every: 4, pairs: 8, bootstrap: 10, textTokens: 256, samples: 1, maxNewTokens: 4}',
  ];
  const args = ['demo', '--output', join(folder, 'demo'), ...set.flatMap((each) => ['--set', each])];
  const {code, stdout, stderr} = await crossmap(args, {cwd: folder});
  t.is(stderr, '');
  t.is(code, 0);
  for (const part of [
    /^finished at step 4 after /m,
    /^loss next +\d/m,
    /^loss mapping +\d/m,
    /^loss contrastive +\d/m,
    /^LAC \(crossmap definition\), mean over pairs +-?\d/m,
    /^report: .*demo\/report\.html$/m,
    /^ {4}source {5}".+"\n {4}reference {2}".+"\n {4}model {6}".*"$/m,
    /^ {2}en to cs$/m,
    /^It does not translate|does not translate:/m,
  ])
    t.regex(stdout, part);
  t.true(existsSync(join(folder, 'demo', 'report.html')));
});
