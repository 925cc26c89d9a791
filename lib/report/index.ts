/** The HTML report of a training run. */
export {renderReport, type ReportInput} from './report.js';
export {writeReport} from './write.js';
