/** What the page knows of its run: the past from metrics.jsonl, the present from events. */
import type {Config} from '../config/index.js';
import type {DataProgress} from '../data/index.js';
import {createHistory} from '../report/history.js';
import {readEvents} from '../report/read-events.js';
import type {TrainEvent} from '../train/index.js';
import type {LiveRun} from './now.js';

/** What a page shows besides the history of its run. */
type Circumstances = Pick<LiveRun, 'hasStarted' | 'isOver' | 'failure' | 'report'>;

interface LiveRunState {
  readonly note: (event: TrainEvent) => void;
  readonly noteData: (progress: DataProgress) => void;
  readonly now: () => LiveRun;
  /** Reads what an earlier part of the run left; what is noted meanwhile comes after it. */
  readonly readEarlier: (metrics: string) => Promise<void>;
  readonly skipEarlier: () => Promise<void>;
  readonly fail: (message: string) => void;
  readonly finish: (report: string | undefined) => void;
}

export function createLiveRun(config: Config): LiveRunState {
  const builder = createHistory();
  const data = new Map<DataProgress['stage'], number>();
  let early: TrainEvent[] | undefined = [];
  let state: Circumstances = {hasStarted: false, isOver: false, failure: undefined, report: undefined};
  const takeEarly = (): void => {
    for (const event of early ?? []) builder.note(event);
    early = undefined;
  };
  return {
    note(event) {
      if (event.type === 'start') state = {...state, hasStarted: true};
      if (early === undefined) builder.note(event);
      else early.push(event);
    },
    noteData: ({stage, done}) => void data.set(stage, done),
    fail: (failure) => (state = {...state, failure}),
    finish: (report) => (state = {...state, isOver: true, report}),
    now: () => ({
      ...state,
      name: config.name,
      output: config.output,
      steps: config.training.steps,
      config,
      history: builder.history(),
      data,
    }),
    async readEarlier(metrics) {
      try {
        for await (const event of readEvents(metrics)) if (event) builder.note(event);
      } catch {
        // A new run has no file yet; and a page without the past is better than none.
      }
      takeEarly();
    },
    skipEarlier: async () => takeEarly(),
  };
}
