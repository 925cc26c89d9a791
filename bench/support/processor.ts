/** Which processor figures come from. */
import {readFileSync} from 'node:fs';
import os from 'node:os';

/** `AMD EPYC, family 26, model 2`: to many virtual machines the name tells the maker and nothing that figures depend on. */
export function processorName(): string {
  const name = os.cpus()[0]?.model.trim() || 'processor';
  if (process.platform !== 'linux') return name;
  const facts = readFileSync('/proc/cpuinfo', 'utf8');
  const family = /^cpu family\s*: (\d+)$/m.exec(facts)?.[1];
  const model = /^model\s*: (\d+)$/m.exec(facts)?.[1];
  return family === undefined || model === undefined ? name : `${name}, family ${family}, model ${model}`;
}
