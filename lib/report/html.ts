/** HTML from templates in which every value is escaped unless it is HTML already. */

/** A piece of HTML that needs no further escaping. */
export interface Html {
  readonly html: string;
}

/** What a template takes: `undefined` and `false` leave nothing. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** Template tag: text becomes safe in element content and in double-quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return {html: strings.map((text, i) => (i === 0 ? text : toHtml(values[i - 1]) + text)).join('')};
}

/** Marks constant text of our own (style, script) as HTML. Never for text that comes from outside. */
export function trusted(text: string): Html {
  return {html: text};
}

function toHtml(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return 'html' in value ? value.html : value.map(toHtml).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
