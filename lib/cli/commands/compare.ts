/** `crossmap compare`: results of the same suite side by side, as a table, JSON and a page. */
import {readFile, writeFile} from 'node:fs/promises';
import {basename, resolve} from 'node:path';
import type {Command} from 'commander';
import {CrossmapError} from '../../errors.js';
import {compareSuites, suiteResultsSchema, type RunGroup, type SuiteResults} from '../../eval/index.js';
import {publishFile} from '../../formats/index.js';
import {renderComparison} from '../../report/index.js';
import {describeComparisons} from '../describe-comparison.js';
import {printJson, printLines} from '../print.js';

interface CompareCommandOptions {
  readonly page?: string;
  readonly output?: string;
  readonly json?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument(
      '<results...>',
      'files of results; name=file puts it into the group of that name; default the name of its run',
    )
    .option('--page <file>', 'write a page with charts')
    .option('--output <file>', 'write the comparison there as JSON too')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Files of one group are runs that differ by their seed. The first group is what the others are compared with, run by run
on the same items. Better and worse are said only of two runs or more whose 95 % intervals all leave 0 out.

Examples:
  crossmap compare mono.json full.json
  crossmap compare mono=mono-1.json mono=mono-2.json full=full-1.json full=full-2.json --page comparison.html`,
    )
    .action(async (names: readonly string[], {page, output, json}: CompareCommandOptions) => {
      const groups = await readGroups(names);
      const comparison = compareSuites(groups);
      if (json) printJson(comparison);
      else printLines(describeComparisons(comparison.comparisons));
      if (output !== undefined)
        await publishFile(resolve(output), (temporary) =>
          writeFile(temporary, `${JSON.stringify(comparison, null, 2)}\n`),
        );
      if (page === undefined) return;
      const suite = basename(groups[0]?.results[0]?.suite ?? '');
      const text = renderComparison({comparison, suite, writtenAt: new Date()});
      await publishFile(resolve(page), (temporary) => writeFile(temporary, text));
      if (!json) printLines(['', `page: ${resolve(page)}`]);
    });
}

async function readGroups(names: readonly string[]): Promise<RunGroup[]> {
  const groups = new Map<string, SuiteResults[]>();
  for (const name of names) {
    const [, label, file = name] = /^([^=/]+)=(.+)$/.exec(name) ?? [];
    const results = await readResults(file);
    const group = label ?? results.run;
    groups.set(group, [...(groups.get(group) ?? []), results]);
  }
  return [...groups].map(([name, results]) => ({
    name,
    results: results.sort((a, b) => a.seed - b.seed),
  }));
}

async function readResults(file: string): Promise<SuiteResults> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_IO', `${file} cannot be read: ${reason}`, {cause});
  }
  const parsed = suiteResultsSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CrossmapError(
    'ERR_FORMAT',
    `${file} holds no results of crossmap eval --suite --output: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? ''}`,
    {cause: parsed.error},
  );
}

/** What is no JSON is undefined, which is no results either. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
