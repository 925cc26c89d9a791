/** Which items a task was measured on, and the names of tasks in errors. */
import {createHash} from 'node:crypto';

/** Equal for the same texts in the same order. */
export function itemsOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
}

/** The items at some places. */
export function pick<Item>(items: readonly Item[], places: readonly number[]): Item[] {
  return places.flatMap((place) => items.slice(place, place + 1));
}

/** The task of an index, as errors name it. */
export function optionOf(index: number): string {
  return `tasks[${index}]`;
}
