/** What becomes of the texts of a corpus, in a byte each outside of the heap, which has no room for the names of a hundred million. */

/** A fate of each text, in the order of reading. */
export interface Fates<Fate extends string> extends Iterable<Fate> {
  readonly length: number;
  /** @param index below `length` */
  at(index: number): Fate;
  /** @param index below `length` */
  set(index: number, fate: Fate): void;
  /** More texts. @param places of their fates among the names */
  append(places: Uint8Array): void;
  /** How many texts have a fate. */
  count(fate: Fate): number;
  /** Another list of the same fates. */
  copy(): Fates<Fate>;
  /** Places among the names, without a copy; more texts may leave the array behind. */
  places(): Uint8Array;
}

/**
 * A list of fates.
 *
 * @param names all fates that there are, at most 256
 * @param places what it holds at first, and takes over; default nothing
 */
export function createFates<const Fate extends string>(
  names: readonly [Fate, ...Fate[]],
  places = new Uint8Array(0),
): Fates<Fate> {
  let {length} = places;
  const nameOf = (place: number | undefined): Fate => names[place ?? 0] ?? names[0];
  const own = (): Uint8Array => places.subarray(0, length);
  return {
    get length() {
      return length;
    },
    at: (index) => nameOf(places[index]),
    set: (index, fate) => void (places[index] = names.indexOf(fate)),
    append(more) {
      if (length + more.length > places.length) {
        const grown = new Uint8Array(2 * (length + more.length));
        grown.set(own());
        places = grown;
      }
      places.set(more, length);
      length += more.length;
    },
    count: (fate) => own().reduce((sum, place) => (names[place] === fate ? sum + 1 : sum), 0),
    copy: () => createFates(names, own().slice()),
    places: own,
    *[Symbol.iterator]() {
      for (const place of own()) yield nameOf(place);
    },
  };
}
