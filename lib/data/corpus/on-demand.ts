/** Readers of formats whose libraries take long to load, for programs that may never meet a file of theirs. */
import type {ReadOptions} from './bytes.js';
import type {Placed} from './records.js';
import type {Sides} from './tmx.js';

type RawPairs = AsyncGenerator<(readonly [string, string])[]>;

/** `readTmx` */
export async function* readTmxOnDemand(file: string, sides: Sides, options: ReadOptions): RawPairs {
  const {readTmx} = await import('./tmx.js');
  yield* readTmx(file, sides, options);
}

/** `readPo` */
export async function* readPoOnDemand(file: string, sides: Sides, options: ReadOptions): RawPairs {
  const {readPo} = await import('./po.js');
  yield* readPo(file, sides, options);
}

/** `readParquet` */
export async function* readParquetOnDemand(
  file: string,
  fields: readonly string[],
  options: ReadOptions,
): AsyncGenerator<Placed[]> {
  const {readParquet} = await import('./parquet.js');
  yield* readParquet(file, fields, options);
}
