/** An encoder from a JavaScript module, for commands. */
import {pathToFileURL} from 'node:url';
import {z} from 'zod';
import {CrossmapError} from '../../errors.js';
import type {Encoder} from './encoder.js';

const encoderSchema = z.looseObject({
  name: z.string().min(1),
  layer: z.int().min(0),
  specialTokens: z.array(z.int()).optional(),
  encode: z.custom<Encoder['encode']>((value) => typeof value === 'function', 'must be a function'),
  dispose: z
    .custom<NonNullable<Encoder['dispose']>>((value) => typeof value === 'function', 'must be a function')
    .optional(),
});

/**
 * The export `encoder` of an ES module: an `Encoder`, or a function that gives one or its promise. The module runs with all rights of
 * this process.
 *
 * @param path absolute
 * @throws ERR_DATA for a module that cannot be loaded, fails, or exports something else
 */
export async function loadEncoder(path: string): Promise<Encoder> {
  const fail = (what: string, cause?: unknown): CrossmapError =>
    new CrossmapError('ERR_DATA', `encoder ${path}: ${what}`, {cause});
  let given: unknown;
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    given = Object(module).encoder;
    if (typeof given === 'function') given = await given();
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (given === undefined)
    throw fail(
      'it must export `encoder`: an object with name, layer and encode, or a function that gives one',
    );
  const checked = encoderSchema.safeParse(given);
  if (!checked.success) throw fail(z.prettifyError(checked.error), checked.error);
  return checkedEncoder(given);
}

/** The object itself, for its methods may need it as `this`. */
function checkedEncoder(given: unknown): Encoder {
  return Object(given);
}
