/** An option of a file in YAML, as help tells it. */
import type {OptionDescription} from '../config/index.js';

export function optionLine({path, type, description, default: preset}: OptionDescription): string {
  const facts = preset === undefined ? type : `${type}; default ${JSON.stringify(preset)}`;
  return `  ${path} (${facts})\n      ${description}`;
}
