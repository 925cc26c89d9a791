// The entry of a carried folder: everything is built, nothing is set up.
import {runScript} from '../setup/say.mjs';
import {runGpuCheck} from './main.mjs';

await runScript(() => runGpuCheck(process.argv.slice(2)));
