/** Seeded choices without a random stream: an order by hash stays the same where items are added or left out. */
import {createHash} from 'node:crypto';

/** The items by the hash of their keys; salts give different orders. */
export function orderByHash<Item>(
  items: readonly Item[],
  salt: string,
  keyOf: (item: Item) => string,
): Item[] {
  return items
    .map((item) => ({item, hash: hashOf(`${salt}\n${keyOf(item)}`)}))
    .sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
    .map(({item}) => item);
}

/** SHA-256, hexadecimal. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
