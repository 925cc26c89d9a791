/** Work on many items at once, with the results in the order of the items. */

/** How items are worked on. */
interface InOrderOptions<Item, Result> {
  /** Items that are under way at once. */
  readonly ahead: number;
  work(item: Item): Promise<Result>;
}

/**
 * The results, each as soon as those before it are there. Items are taken no faster than results are.
 *
 * @throws what the items and the work throw
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  {ahead, work}: InOrderOptions<Item, Result>,
): AsyncGenerator<Result> {
  const waiting: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    result.catch(() => undefined); // thrown where it is awaited; an item may fail before
    waiting.push(result);
    const first = waiting.length >= ahead ? waiting.shift() : undefined;
    if (first) yield await first;
  }
  for (const result of waiting) yield await result;
}
