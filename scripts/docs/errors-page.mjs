// docs/errors.md, made from the list of codes in lib/errors.ts.

/**
 * @param {Readonly<Record<string, string>>} codes code to meaning
 * @returns {string} Markdown
 */
export function errorsPage(codes) {
  const rows = Object.entries(codes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return `# Errors

Every error that crossmap throws on purpose is a \`CrossmapError\`. Its \`code\` is stable and meant for programs; its
\`message\` is meant for people: where, what, what was expected, what came, and what to do.

${table(['code', 'meaning'], rows)}

\`\`\`ts
import {CrossmapError} from 'crossmap';

try {
  train();
} catch (error) {
  if (error instanceof CrossmapError && error.code === 'ERR_OUT_OF_MEMORY') retryWithLess();
  else throw error;
}
\`\`\`

This page is made by \`npm run docs\` from \`lib/errors.ts\`.
`;
}

/**
 * Columns are padded, as prettier lays out a table.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const line = (/** @type {readonly string[]} */ cells, filler = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  return [
    line(head),
    line(
      head.map(() => '-'),
      '-',
    ),
    ...rows.map((row) => line(row)),
  ].join('\n');
}
