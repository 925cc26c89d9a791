/** Run as a child that is killed: prepares the data of a configuration, which the first argument is, and tells its steps. */
import {parseConfig} from '../../lib/config/index.js';
import {prepareData} from '../../lib/data/index.js';

const [, , yaml = ''] = process.argv;
const {reused} = await prepareData(parseConfig(yaml));
process.stdout.write(`${reused}\n`);
