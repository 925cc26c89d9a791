/** Where builds put the addon. */
import {loadScript} from './support.js';

interface Flavour {
  readonly target: string;
}

export const {addonFile, flavours} = await loadScript<{
  addonFile: (flavour: Flavour) => string;
  flavours: Readonly<Record<'cpu', Flavour>>;
}>('scripts/setup/addon.mjs');
