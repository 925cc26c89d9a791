/** `crossmap init`: writes a configuration to start from. */
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {dirname, relative, resolve} from 'node:path';
import {Option, type Command} from 'commander';
import {starterConfig, starterSizes, type StarterOptions, type StarterSize} from '../../config/index.js';
import {CrossmapError} from '../../errors.js';
import {publishFile} from '../../formats/index.js';
import {printLines} from '../print.js';
import {languageList, pairFiles, textFiles, type PairFiles, type TextFiles} from '../text-options.js';

interface InitCommandOptions {
  readonly languages?: readonly string[];
  readonly text?: readonly TextFiles[];
  readonly pairs?: readonly PairFiles[];
  readonly size: StarterSize;
  readonly all?: true;
  readonly force?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  const sizes = Object.entries(starterSizes).map(([name, what]) => `${name} (${what})`);
  command
    .argument('[file]', 'the file to write, or - for standard output', 'train.yaml')
    .option(
      '--text <language=file>',
      'text of a language, a file or a pattern; may be given several times',
      textFiles,
    )
    .option(
      '--pairs <a-b=file>',
      'sentence pairs: one file that holds both sides, or two with a comma between; may be given several times',
      pairFiles,
    )
    .option('--languages <codes>', 'languages whose files are still to be named, as en,cs', languageList)
    .addOption(
      new Option('--size <name>', `size of the model: ${sizes.join(', ')}`)
        .choices(Object.keys(starterSizes))
        .default('small'),
    )
    .option('--all', 'write every option, not only those that are changed most often')
    .option('--force', 'replace the file if it is there')
    .addHelpText(
      'after',
      `
Files are named as seen from the current folder.

Examples:
  crossmap init
  crossmap init --languages en,cs,uk --size tiny
  crossmap init --text en=en.txt.gz --text cs="cs/*.txt" --pairs en-cs=en-cs.tsv
  crossmap init runs.yaml --text en=a.txt --text pt-BR=b.txt --pairs en:pt-BR=pairs.en,pairs.pt --all`,
    )
    .action(async (file: string, {force, size, all, ...named}: InitCommandOptions) => {
      const folder = file === '-' ? process.cwd() : dirname(resolve(file));
      const text = starterConfig({
        ...textOf(named, (path) => fromFolder(folder, path)),
        size,
        all: all === true,
        ...(file !== '-' && {file}),
      });
      if (file === '-') {
        process.stdout.write(text);
        return;
      }
      if (existsSync(file) && !force)
        throw new CrossmapError('ERR_ARGUMENT', `init: ${file} is there already; --force replaces it`);
      await publishFile(file, (temporary) => writeFile(temporary, text));
      printLines([`${file} is written`, ...nextSteps(file, named)]);
    });
}

type Named = Pick<InitCommandOptions, 'languages' | 'text' | 'pairs'>;

/** Without any language: an example to be changed. */
const exampleLanguages = ['en', 'cs'];

function textOf(
  {languages, text = [], pairs = []}: Named,
  place: (path: string) => string,
): Pick<StarterOptions, 'monolingual' | 'parallel'> {
  checkPairs(text, pairs);
  const given = text.map(({language, file}) => ({language, files: place(file)}));
  const unnamed = languages ?? (text.length + pairs.length === 0 ? exampleLanguages : []);
  const placeholders = unnamed
    .filter((language) => !given.some((each) => each.language === language))
    .map((language) => ({language, files: `text/${language}.txt`}));
  const monolingual = [...given, ...placeholders];
  const [source, ...others] = placeholders.length > 0 && text.length === 0 ? unnamed : [];
  const parallel =
    pairs.length > 0
      ? pairs.map((pair) => placedPair(pair, place))
      : others.map((target) => ({source: source ?? '', target, file: `text/${source}-${target}.tsv`}));
  return {
    ...(monolingual.length > 0 && {monolingual}),
    ...(parallel.length > 0 && {parallel}),
  };
}

/** A language that stands in pairs alone, beside others that have text, is nearly always a slip. */
function checkPairs(text: readonly TextFiles[], pairs: readonly PairFiles[]): void {
  if (text.length === 0) return;
  for (const {source, target} of pairs)
    for (const side of [source, target])
      if (!text.some(({language}) => language === side))
        throw new CrossmapError(
          'ERR_ARGUMENT',
          `init: --pairs ${source}-${target} has ${side}, which has no text; give --text ${side}=file, or no --text at all`,
        );
}

function placedPair({source, target, files: [first, second]}: PairFiles, place: (path: string) => string) {
  if (second === undefined) return {source, target, file: place(first)};
  const both: [string, string] = [place(first), place(second)];
  return {source, target, files: both};
}

/** A file as the configuration names it: from its own folder, with `/` on every system. */
function fromFolder(folder: string, path: string): string {
  return (relative(folder, resolve(path)) || path).replaceAll('\\', '/');
}

function nextSteps(file: string, {text = [], pairs = []}: Named): string[] {
  const files = [
    ...text.map(({file: each}) => each),
    ...pairs.flatMap(({files: [first, second = []]}) => [first, second].flat()),
  ];
  const missing = files.filter((each) => !/[*?[\]{}]/.test(each) && !existsSync(each));
  return [
    ...(missing.length > 0 ? [`not there yet: ${missing.join(', ')}`] : []),
    '',
    ...(files.length === 0 ? [`Next: name your text in it under data, then`] : ['Next:']),
    `  crossmap data ${file}           reads the text and tells what is in it`,
    `  crossmap train ${file} --page   trains, with a page to watch it on`,
  ];
}
