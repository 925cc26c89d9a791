// docs/errors.md, made from the list of codes in lib/errors.ts.
import {table} from './table.mjs';

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
