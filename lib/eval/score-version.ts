/** The end of the signature of scores that are computed as sacreBLEU computes them. */
import {version} from '../version.js';

/** Which program computed a score. Its scores are those of sacreBLEU 2.6.0. */
export const scoreVersion = `version:crossmap-${version.split('.').slice(0, 2).join('.')}`;
