/**
 * HTML pages: the report of a training run, and models compared.
 *
 * @module crossmap/report
 */
export {renderComparison, type ComparisonInput} from './comparison.js';
export {renderReport, type ReportInput} from './report.js';
export {writeReport} from './write.js';
