export * from './errors.js';
export {version} from './version.js';
