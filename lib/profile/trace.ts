/**
 * The trace event format of Chrome, which Perfetto (ui.perfetto.dev) and speedscope open: a JSON object whose
 * `traceEvents` are complete events (`ph: X`, with begin, duration and time on a core in microseconds) and metadata (`ph: M`) that
 * names the rows.
 *
 * @see "Trace Event Format", Google
 */
import type {ProfileEvent} from './profile.js';

/** Facts that stand beside the events: a name and a value. */
export type TraceFacts = Readonly<Record<string, string | number>>;

/** A trace that is being written. Only what it is given at a time is in memory. */
export interface TraceWriter {
  /** Appends events. @throws ERR_IO */
  add(events: readonly ProfileEvent[]): Promise<void>;
  /** Ends the file. @param facts go into `otherData` */
  end(facts: TraceFacts): Promise<void>;
}

/** One process, named `crossmap`. */
const processId = 1;

/**
 * Begins a trace.
 *
 * @param write receives the text piece by piece, each after the one before is written
 */
export async function beginTrace(write: (text: string) => Promise<void>): Promise<TraceWriter> {
  const named = new Set<number>();
  await write(`{"displayTimeUnit": "ms", "traceEvents": [\n${JSON.stringify(metadata('process_name', 0))}`);
  return {
    async add(events) {
      if (events.length === 0) return;
      const lines = events.flatMap((event) => {
        const isKnown = named.has(event.thread);
        named.add(event.thread);
        return [...(isKnown ? [] : rowOf(event.thread)), completeEvent(event)];
      });
      await write(lines.map((line) => `,\n${JSON.stringify(line)}`).join(''));
    },
    async end(facts) {
      await write(`\n], "otherData": ${JSON.stringify(facts)}}\n`);
    },
  };
}

function metadata(name: 'process_name' | 'thread_name' | 'thread_sort_index', thread: number): object {
  const args =
    name === 'thread_sort_index'
      ? {sort_index: thread}
      : {name: name === 'process_name' ? 'crossmap' : threadName(thread)};
  return {ph: 'M', name, pid: processId, tid: thread, args};
}

/** What names a thread's row and puts it in its place. */
function rowOf(thread: number): object[] {
  return [metadata('thread_name', thread), metadata('thread_sort_index', thread)];
}

function threadName(thread: number): string {
  if (thread === 0) return 'TypeScript';
  return thread === 1 ? 'executor, pool thread 1' : `pool thread ${thread}`;
}

function completeEvent({
  kind,
  name,
  thread,
  beginUs,
  durationUs,
  coreUs,
  within,
  call,
}: ProfileEvent): object {
  return {
    ph: 'X',
    name,
    // Categories are what viewers search by: `backward` finds all tasks of the backward pass.
    cat: within === '' ? kind : `${kind},${within}`,
    pid: processId,
    tid: thread,
    ts: beginUs,
    dur: durationUs,
    tdur: coreUs,
    args: {
      ...(within !== '' && {within}),
      ...(call && {
        op: call.name,
        call: call.number,
        ...(kind !== 'share' && {
          inputs: tensorsText(call.inputs),
          outputs: tensorsText(call.outputs),
          inputBytes: call.inputs.bytes,
          outputBytes: call.outputs.bytes,
        }),
      }),
    },
  };
}

/** `float32[2048, 384] float32[384]`, and how many there are besides. */
function tensorsText({listed, count}: NonNullable<ProfileEvent['call']>['inputs']): string {
  const texts = listed.map(({dtype, shape}) => `${dtype}[${shape.join(', ')}]`);
  return [...texts, ...(count > listed.length ? [`and ${count - listed.length} more`] : [])].join(' ');
}
