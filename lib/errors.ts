/** Every error that crossmap throws on purpose is one class with a stable code. */

/** The codes, each with what it means. The errors page of the documentation is made from this list. */
export const errorCodes = {
  ERR_ARGUMENT: 'An argument or option has a value outside its range.',
  ERR_SHAPE: 'A tensor has a shape that does not fit the operation or another tensor.',
  ERR_DTYPE: 'A tensor has a dtype that the operation does not take.',
  ERR_DEVICE: 'Tensors lie on different devices, or the device does not exist here.',
  ERR_DISPOSED: 'A tensor was used after its memory had been released.',
  ERR_OUT_OF_MEMORY: 'The device cannot supply the memory asked for.',
  ERR_INDEX: 'An index read during execution (a token id, a position) is out of range.',
  ERR_AUTOGRAD: 'A backward pass was asked for where none was recorded, or twice.',
  ERR_ADDON: 'The native addon could not be found or loaded.',
  ERR_CONFIG: 'The configuration has a mistake; the message names the file and line.',
  ERR_DATA: 'A corpus, tokenizer or shard is missing, malformed or empty.',
  ERR_FORMAT: 'A file is not what its format says: truncated, corrupt or of another version.',
  ERR_CHECKPOINT: 'A checkpoint is missing, incomplete or does not fit the model.',
  ERR_DIVERGED: 'Training produced a value that is not finite, or a gradient that exploded.',
  ERR_ABORTED: 'The work was stopped by its AbortSignal.',
  ERR_BUSY: 'Another process trains into the same folder, or prepares the same data.',
  ERR_IO: 'A file could not be read or written.',
  ERR_INTERNAL: 'A fault of crossmap itself: please report it.',
} as const;

/** One of the codes. */
export type ErrorCode = keyof typeof errorCodes;

/** What crossmap throws on purpose. The message says where, what was expected, what came, and what to do. */
export class CrossmapError extends Error {
  /** Always `CrossmapError`. */
  override readonly name = 'CrossmapError';

  /** What kind of mistake or fault it is: stable, for programs. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value from outside (JSON, the addon) is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}
