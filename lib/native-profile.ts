/** What native code tells of the work of its threads. */
import type {NativeDType, Shape} from './native-ops.js';

/** The tensors on one side of an op. @inline */
interface NativeTensors {
  /** The first 16. */
  readonly listed: readonly {readonly dtype: NativeDType; readonly shape: Shape}[];
  /** With those that are not listed. */
  readonly count: number;
  /** Of all of them. */
  readonly bytes: number;
}

/** A call of an op. @inline */
interface NativeCall {
  /** As the interface of the ops names it; tasks may go by another name, such as that of the variant. */
  readonly name: string;
  /** From 1, in the order of the calls. */
  readonly number: number;
  /** Also what the op writes in place. */
  readonly inputs: NativeTensors;
  readonly outputs: NativeTensors;
}

/** Somebody at work, from a moment to another. */
export interface NativeEvent {
  /**
   * `span`: this thread, between two calls that named what it does. `call`: this thread, in a call of an op, which checks, allocates and
   * enqueues. `task`: the executor of the CPU device, on what an op or a copy had enqueued. `share`: a thread of its pool, on its part.
   */
  readonly kind: 'span' | 'call' | 'task' | 'share';
  /** Of a span that which `span` gave it; else that of the op, or of the variant that was taken. */
  readonly name: string;
  /** 0 is that of JavaScript, 1 the executor, which is the first of the pool, from 2 on the others of the pool. */
  readonly thread: number;
  /** Microseconds since the profile's start. */
  readonly beginUs: number;
  /** Microseconds from its begin to its end. */
  readonly durationUs: number;
  /** For how much of it the thread had a core: less where it waited, or others used the cores. 0 where the system does not tell. */
  readonly coreUs: number;
  /** The innermost span around it; of a task or share that around its call. Empty without. */
  readonly within: string;
  /** Absent for spans, and for tasks that belong to no op or whose op was called before the start. */
  readonly call?: NativeCall;
}

/** What `profileTake` gives. */
export interface NativeEvents {
  /** In the order of their ends. */
  readonly events: readonly NativeEvent[];
  /** Events that there was no room for, since the start. */
  readonly dropped: number;
}
