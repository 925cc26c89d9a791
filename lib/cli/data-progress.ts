/** Tells what the preparation of data is doing. */
import type {DataProgress} from '../data/index.js';

const stages: Readonly<Record<DataProgress['stage'], string>> = {
  scan: 'reading the corpora',
  tokenizer: 'training the tokenizer',
  encode: 'encoding the text',
  load: 'opening the data',
};

/** One line for each stage. */
export function createDataProgress(say: (line: string) => void): (progress: DataProgress) => void {
  let told: DataProgress['stage'] | undefined;
  return ({stage}) => {
    if (stage === told) return;
    told = stage;
    say(stages[stage]);
  };
}
