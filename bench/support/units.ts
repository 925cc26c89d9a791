/** Figures of benches for readers. */

export function timeText(seconds: number): string {
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(1)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(2)} ms`;
  return `${seconds.toFixed(2)} s`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** @param unit of what is counted: `FLOP/s`, `B/s`, `tokens/s` */
export function rateText(perSecond: number, unit: string): string {
  if (perSecond < 1e3) return `${perSecond.toPrecision(3)} ${unit}`;
  if (perSecond < 1e6) return `${(perSecond / 1e3).toPrecision(3)} k${unit}`;
  if (perSecond < 1e9) return `${(perSecond / 1e6).toPrecision(3)} M${unit}`;
  if (perSecond < 1e12) return `${(perSecond / 1e9).toPrecision(3)} G${unit}`;
  return `${(perSecond / 1e12).toPrecision(3)} T${unit}`;
}

export function percentText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
