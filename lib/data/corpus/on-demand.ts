/** Readers whose libraries take long to load, for programs that may never meet a file of theirs. */

/** What a reader gives that is loaded when the first of it is asked for. */
export async function* onDemand<T>(load: () => Promise<AsyncGenerator<T>>): AsyncGenerator<T> {
  yield* await load();
}
