/** HTML pages: the report of a training run, and models compared. */
export {renderComparison, type ComparisonInput} from './comparison.js';
export {renderReport, type ReportInput} from './report.js';
export {writeReport} from './write.js';
