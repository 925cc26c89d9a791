// docs/configuration.md, made from the schemas in lib/config.
import {table} from './table.mjs';

/** @typedef {{path: string, description: string, type: string, default?: unknown}} Option */

/**
 * @param {{config: readonly Option[], suite: readonly Option[]}} options of a configuration, and of a suite
 * @returns {string} Markdown
 */
export function configurationPage({config, suite}) {
  const sections = [...new Set(config.map(sectionOf))];
  return `# Options of a configuration

What a configuration may hold. \`crossmap train --help\` prints the same, and \`configJsonSchema()\` of \`crossmap/config\` is the
JSON schema for editors. \`[]\` stands for each item of a list; \`--set training.steps=100\` overrides an option.
[Training](training.md) and [data](data.md) tell what they are for.

${sections.map((section) => optionsOf(section, config)).join('\n\n')}

## A suite

What the file of \`crossmap eval --suite\` may hold; see [evaluation](evaluation.md#a-suite).

${optionTable(suite)}

This page is made by \`npm run docs\` from \`lib/config\`.
`;
}

/**
 * @param {string} section
 * @param {readonly Option[]} config
 */
function optionsOf(section, config) {
  const title = section === '' ? 'The run' : section;
  return `## ${title}\n\n${optionTable(config.filter((option) => sectionOf(option) === section))}`;
}

/** @param {Option} option */
function sectionOf({path}) {
  return /^(\w+)[.[]/.exec(path)?.[1] ?? '';
}

/** @param {readonly Option[]} options */
function optionTable(options) {
  return table(
    ['option', 'takes', 'default', 'what it does'],
    options.map((option) => [
      `\`${option.path}\``,
      cell(option.type),
      defaultOf(option),
      cell(option.description),
    ]),
  );
}

/** @param {Option} option */
function defaultOf({default: value}) {
  if (value === undefined) return '';
  return `\`${cell(isPlain(value) ? value : JSON.stringify(value))}\``;
}

/**
 * A text that needs no quotes, and is one line.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
function isPlain(value) {
  return typeof value === 'string' && /^[\w.-]+$/.test(value);
}

/**
 * A text that may stand in a cell.
 *
 * @param {string} text
 */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
