/**
 * What each thread does, and when: a timeline of ops, and where the time goes.
 *
 * @module crossmap/profile
 */
export {createOpTimes, type OpTime, type OpTimes} from './op-times.js';
export {
  asyncSpan,
  pendingEvents,
  span,
  startProfile,
  stopProfile,
  takeEvents,
  type Profile,
  type ProfiledEvents,
  type ProfileEvent,
  type ProfileOptions,
} from './profile.js';
export {beginTrace, type TraceFacts, type TraceWriter} from './trace.js';
