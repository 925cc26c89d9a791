/** Colours, where the terminal has them and the user has not refused them. */

/** Gives texts a look; without colours they stay as they are. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** @param color whether to colour at all */
export function createPaint(color: boolean): Paint {
  const style =
    (on: number, off: number) =>
    (text: string): string =>
      color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {bold: style(1, 22), dim: style(2, 22), red: style(31, 39), yellow: style(33, 39)};
}

/** Whether a stream shows colours: it is a terminal that has them, and NO_COLOR is not set. https://no-color.org */
export function hasColor(stream: object): boolean {
  if (process.env['NO_COLOR'] || !('isTTY' in stream && stream.isTTY === true)) return false;
  return process.env['TERM'] !== 'dumb';
}
