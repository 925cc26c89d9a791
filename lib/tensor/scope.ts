/** Scopes: what was made inside and not returned is disposed of at the end. */
import {CrossmapError} from '../errors.js';

/** What a scope can free. */
interface Disposable {
  dispose: () => void;
}

const scopes: Set<Disposable>[] = [];

/** Makes the innermost scope responsible for a new tensor; without a scope its owner is. */
export function track(tensor: Disposable): void {
  scopes.at(-1)?.add(tensor);
}

/**
 * Runs `work` and disposes of the tensors made inside, but for those in its result: a tensor, an array or a plain
 * object of them, however deep. These belong to the scope around it, if there is one.
 *
 * @throws ERR_ARGUMENT where `work` is asynchronous: what it makes later would belong to nobody; what `work` throws
 */
export function scope<T>(work: () => T): T {
  const inside = new Set<Disposable>();
  scopes.push(inside);
  let result: T;
  try {
    result = work();
  } catch (error) {
    scopes.pop();
    disposeAll(inside);
    throw error;
  }
  scopes.pop();
  if (result instanceof Promise) {
    disposeAll(inside);
    throw new CrossmapError('ERR_ARGUMENT', 'scope: work must not be asynchronous; await its result outside');
  }
  keep(result, inside);
  disposeAll(inside);
  return result;
}

function keep(value: unknown, inside: Set<Disposable>): void {
  if (typeof value !== 'object' || value === null) return;
  if (isTracked(value, inside)) {
    inside.delete(value);
    track(value);
    return;
  }
  if (Array.isArray(value)) for (const item of value) keep(item, inside);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) keep(item, inside);
}

function isTracked(value: object, inside: ReadonlySet<object>): value is Disposable {
  return inside.has(value);
}

function disposeAll(tensors: Iterable<Disposable>): void {
  for (const tensor of tensors) tensor.dispose();
}
