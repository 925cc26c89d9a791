/** Shows what the preparation of data is doing: a bar for each stage in a terminal, a line for each elsewhere. */
import type {DataProgress} from '../data/index.js';
import {duration} from './format.js';
import {createBar, type ProgressStream} from './bar.js';

/** A view of a preparation. */
interface DataView {
  readonly show: (progress: DataProgress) => void;
  /** Takes the bar away; what is shown afterwards brings it back. */
  readonly stop: () => void;
}

const stages: Readonly<Record<DataProgress['stage'], string>> = {
  scan: 'reading the corpora',
  tokenizer: 'training the tokenizer',
  encode: 'encoding the text',
  load: 'opening the data',
};

/** @param stream a terminal or not, which decides */
export function createDataProgress(stream: ProgressStream): DataView {
  return stream.isTTY ? barView(stream) : lineView(stream);
}

function lineView(stream: ProgressStream): DataView {
  let told: DataProgress['stage'] | undefined;
  return {
    show({stage}) {
      if (stage !== told) stream.write(`${stages[stage]}\n`);
      told = stage;
    },
    stop: () => undefined,
  };
}

/** Steps of a whole bar; what is seen is the percentage. */
const total = 1000;

function barView(stream: ProgressStream): DataView {
  const width = Math.max(...Object.values(stages).map(({length}) => length));
  const bar = createBar(stream, '{stage} {bar} {percentage} %  {left}');
  let shown: DataProgress['stage'] | undefined;
  let start = {time: 0, done: 0};
  return {
    show({stage, done}) {
      if (stage !== shown) {
        bar.stop();
        start = {time: performance.now(), done};
        bar.start(total, 0, {stage: stages[stage].padEnd(width), left: ''});
        shown = stage;
      }
      bar.update(Math.floor(done * total), {left: timeLeft(start, done)});
    },
    stop() {
      bar.stop();
      shown = undefined;
    },
  };
}

/** Time that the rest of a stage takes, if it goes on as it went; nothing until that can be told. */
function timeLeft(start: {readonly time: number; readonly done: number}, done: number): string {
  const seconds = (performance.now() - start.time) / 1000;
  if (seconds < 1 || done <= start.done || done >= 1) return '';
  return `ETA ${duration((seconds * (1 - done)) / (done - start.done))}`;
}
