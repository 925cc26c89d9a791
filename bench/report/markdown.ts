/** All results of a folder as Markdown. */
import {machineText, type BenchResult} from '../support/results.js';
import {growthColumns, growthRows, seriesOf} from './growth.js';
import {figureRows, peakSentences, tableOf, type Rows} from './rows.js';

export function markdownOf(results: readonly BenchResult[]): string {
  return ['# Benches', ...results.map(benchText)].join('\n\n') + '\n';
}

function benchText(result: BenchResult): string {
  const {bench, comparisons, tables = []} = result;
  const series = seriesOf(comparisons);
  const peaks = peakSentences(comparisons);
  return [
    `## ${bench}`,
    circumstances(result).join('; '),
    ...(peaks.length > 0 ? [`Seen beside the runs:\n\n${peaks.map((each) => `- ${each}`).join('\n')}`] : []),
    ...(comparisons.length > 0 ? [table(tableOf(comparisons))] : []),
    ...(series.length > 0 ? [table({heading: growthColumns, rows: growthRows(series)})] : []),
    ...tables.map((each) => table(figureRows(each))),
  ].join('\n\n');
}

/** When, where and beside whom a bench ran. */
export function circumstances({version, date, quick, machine, peers}: BenchResult): readonly string[] {
  return [
    ...(quick ? ['a quick run: its times mean nothing'] : []),
    `crossmap ${version} on ${machineText(machine)}, load ${machine.load.toFixed(1)}, Node ${machine.node}, ${date.slice(0, 16).replace('T', ' ')}`,
    ...new Set(
      peers.map(({name, version: theirs, blas, absent}) =>
        absent === undefined
          ? `${name} ${theirs ?? ''}${blas ? ` on ${blas.name} (${blas.file})` : ''}`
          : `without ${name}: ${absent}`,
      ),
    ),
  ];
}

function table({heading, rows}: Rows): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}
