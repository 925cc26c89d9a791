/** Figures of benches in a terminal. */
import {ratesOf, type Comparison, type Side} from './comparison.js';
import {machine, machineText} from './results.js';
import {bytesText, percentText, rateText, timeText} from './units.js';

export function printHead(name: string): void {
  console.log(`${name} on ${machineText(machine())}; wall time: median [quartiles] (samples)`);
}

export function printComparison(comparison: Comparison): void {
  const {title, threads, sides, materializedBytes} = comparison;
  console.log(`  ${title}${threads === undefined ? '' : `, ${threads} thread${threads === 1 ? '' : 's'}`}`);
  for (const side of sides) console.log(`    ${sideText(comparison, side)}`);
  if (materializedBytes !== undefined) console.log(`    materialised: ${bytesText(materializedBytes)}`);
}

function sideText(comparison: Comparison, side: Side): string {
  const {name, median, lowerQuartile, upperQuartile, samples, extraBytes, error} = side;
  if (median === undefined || lowerQuartile === undefined || upperQuartile === undefined)
    return `${name}: ${error ?? 'not timed'}`;
  const rates = ratesOf(comparison, side);
  const figures = [
    `${timeText(median)} [${timeText(lowerQuartile)}, ${timeText(upperQuartile)}] (${samples})`,
    rates.flopsPerSecond !== undefined && rateText(rates.flopsPerSecond, 'FLOP/s'),
    rates.bytesPerSecond !== undefined && rateText(rates.bytesPerSecond, 'B/s'),
    rates.shareOfPeak !== undefined && `${percentText(rates.shareOfPeak)} of the peak`,
    rates.tokensPerSecond !== undefined && rateText(rates.tokensPerSecond, ' tokens/s'),
    rates.secondsPerCall !== undefined && `${timeText(rates.secondsPerCall)} for each call of an op`,
    extraBytes !== undefined && `${bytesText(extraBytes)} held besides`,
    rates.timesOurs !== undefined && `ours is ${rates.timesOurs.toFixed(2)}x as fast`,
  ];
  return `${name}: ${figures.filter((each) => each !== false).join(', ')}`;
}
