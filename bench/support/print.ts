/** Figures of benches for a reader. */
import {deviceText, type CaseResult} from './results.js';
import type {Times} from './sample.js';

export function printHead(name: string): void {
  console.log(`${name} on ${deviceText()}; wall time: median [quartiles] (samples)`);
}

export function printCase({
  title,
  ours,
  peer,
  gflopsPerSecond,
  gigabytesPerSecond,
  tokensPerSecond,
  extraBytes,
  materializedBytes,
}: CaseResult): void {
  const figures = [
    timesText(ours),
    gflopsPerSecond !== undefined && `${gflopsPerSecond.toFixed(1)} GFLOP/s`,
    gigabytesPerSecond !== undefined && `${gigabytesPerSecond.toFixed(2)} GB/s`,
    tokensPerSecond !== undefined && `${(tokensPerSecond / 1e6).toFixed(2)} M tokens/s`,
    `${bytesText(extraBytes)} held besides`,
    materializedBytes !== undefined && `materialised: ${bytesText(materializedBytes)}`,
  ];
  console.log(`  ${title}\n    ${figures.filter((each) => each !== false).join(', ')}`);
  if (peer === undefined) return;
  console.log(
    `    ${peer.name}: ${timesText(peer)}; ours is ${(peer.median / ours.median).toFixed(2)}x as fast`,
  );
}

function timesText({median, lowerQuartile, upperQuartile, samples}: Times): string {
  return `${timeText(median)} [${timeText(lowerQuartile)}, ${timeText(upperQuartile)}] (${samples})`;
}

function timeText(seconds: number): string {
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(1)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(2)} ms`;
  return `${seconds.toFixed(2)} s`;
}

function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
