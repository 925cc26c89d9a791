/** How what is read of a file is refused. */
import {CrossmapError} from '../../errors.js';

/** Throws ERR_FORMAT: the file, and what it has that it must not. */
export type Refuse = (fault: string) => never;

export function refuser(path: string): Refuse {
  return (fault) => {
    throw new CrossmapError('ERR_FORMAT', `${path} ${fault}`);
  };
}
