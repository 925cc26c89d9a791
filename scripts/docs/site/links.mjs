// Links and anchors of HTML pages that lie in one folder.
import path from 'node:path';

/** What a page may load. A link that a reader follows may lead anywhere else, these may not. */
const loads = /<(?:script|img|link|source|iframe)\b[^>]*?\s(?:src|href)="([^"]*)"/g;

const links = /<a\b[^>]*?\shref="([^"]*)"/g;

/**
 * Links to files and anchors that are not there, and assets from elsewhere.
 *
 * @param {ReadonlyMap<string, string>} pages path to text; paths are relative to the folder, with forward slashes
 * @param {(file: string) => boolean} exists whether the folder has a file or folder
 * @returns {string[]} one line each: the page, the link, what is wrong
 */
export function findBrokenLinks(pages, exists) {
  const anchors = new Map([...pages].map(([page, text]) => [page, anchorsOf(text)]));
  return [...pages].flatMap(([page, text]) => {
    const foreign = targets(text, loads).filter((target) => isElsewhere(target));
    const inside = [...targets(text, loads), ...targets(text, links)].filter(
      (target) => !isElsewhere(target),
    );
    return [
      ...foreign.map((target) => `${page}: ${target} is loaded from elsewhere`),
      ...inside.flatMap((target) => {
        const wrong = whatIsWrong(page, target, {anchors, exists});
        return wrong === undefined ? [] : [`${page}: ${target} ${wrong}`];
      }),
    ];
  });
}

/**
 * @param {string} page
 * @param {string} target
 * @param {{anchors: ReadonlyMap<string, ReadonlySet<string>>, exists: (file: string) => boolean}} site
 */
function whatIsWrong(page, target, {anchors, exists}) {
  const [address = '', anchor = ''] = target.split('#', 2);
  const [file = ''] = address.split('?', 1);
  const to = file === '' ? page : path.posix.join(path.posix.dirname(page), decodeURIComponent(file));
  if (to.startsWith('..')) return 'leads out of the folder';
  if (!anchors.has(to) && !exists(to)) return 'does not exist';
  const known = anchors.get(to);
  const name = decodeURIComponent(anchor);
  return known === undefined || name === '' || known.has(name) ? undefined : 'names no anchor of the page';
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function targets(text, pattern) {
  const found = Array.from(text.matchAll(pattern), ([, target = '']) => target.replaceAll('&amp;', '&'));
  return [...new Set(found)].filter((target) => target !== '' && !target.startsWith('data:'));
}

/** @param {string} target */
function isElsewhere(target) {
  return /^(?:[a-z][a-z\d+.-]*:|\/)/i.test(target);
}

/** @param {string} text */
function anchorsOf(text) {
  return new Set(Array.from(text.matchAll(/\s(?:id|name)="([^"]*)"/g), ([, id = '']) => id));
}
