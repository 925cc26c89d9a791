/** A priority queue. */

export interface Heap<Item> {
  push(item: Item): void;
  /** The first item in the order, taken out; nothing when empty. */
  pop(): Item | undefined;
  readonly size: number;
}

/** An empty heap; `isBefore` is the order. */
export function createHeap<Item>(isBefore: (a: Item, b: Item) => boolean): Heap<Item> {
  const items: Item[] = [];

  const rise = (item: Item): void => {
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !isBefore(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  };
  const sink = (item: Item): void => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = items[child];
      if (below === undefined) break;
      const right = items[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child++;
        below = right;
      }
      if (!isBefore(below, item)) break;
      items[at] = below;
      at = child;
    }
    items[at] = item;
  };
  return {
    push: rise,
    pop() {
      const first = items[0];
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return first;
    },
    get size() {
      return items.length;
    },
  };
}
