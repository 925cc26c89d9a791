/** `--dtype`: of weights that are written. */
import {Option} from 'commander';

export function dtypeOption(description: string): Option {
  return new Option('--dtype <name>', description).choices(['float32', 'bfloat16', 'float16']);
}
