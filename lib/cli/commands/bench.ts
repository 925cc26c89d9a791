/** `crossmap bench`: what the kernels of ops do, counted on the emulator. */
import {writeFile} from 'node:fs/promises';
import {Option, type Command} from 'commander';
import {benchOnEmulator, benchedOps, h100, type EmulatorBench, type StageResult} from '../../bench/index.js';
import {describeKernels, describeStages} from '../describe-bench.js';
import {printLines} from '../print.js';

interface BenchCommandOptions {
  readonly device: 'simt';
  readonly json?: string;
  readonly kernels?: true;
}

/** Adds what it takes and does. */
export function define(command: Command): void {
  command
    .argument('[ops...]', `ops, default all: ${benchedOps.join(', ')}`)
    .addOption(
      new Option('--device <device>', 'where the kernels run').choices(['simt']).makeOptionMandatory(),
    )
    .option('--kernels', 'print the counts of each kernel too')
    .option('--json <file>', 'write all counts to a file')
    .addHelpText(
      'after',
      `
Counts are exact: bytes that warps move beside the least that the op must, operations of tensor cores beside those needed,
fused multiply-adds, special functions (powers and roots), bank conflicts. Times are modelled from them, never measured;
npm run bench measures, on the device that is there.

Examples:
  crossmap bench --device simt attention contrastive linear-cross-entropy
  crossmap bench --device simt rms-norm --kernels --json counts.json`,
    )
    .action(async (ops: readonly string[], {device, json, kernels}: BenchCommandOptions) => {
      const results: StageResult[] = [];
      try {
        for await (const result of benchOnEmulator(ops)) {
          process.stderr.write(`${result.op} ${result.shape} ${result.stage}\n`);
          results.push(result);
        }
      } finally {
        // A kernel that the emulator stops ends the command; what was counted before it is told.
        if (results.length > 0) printLines(describeStages(results, h100));
        if (kernels && results.length > 0) printLines(['', ...describeKernels(results)]);
      }
      const bench: EmulatorBench = {device, modelledGpu: h100, results};
      if (json !== undefined) await writeFile(json, `${JSON.stringify(bench, null, 2)}\n`);
    });
}
