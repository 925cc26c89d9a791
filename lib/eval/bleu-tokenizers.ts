/** How BLEU cuts text into words: the tokenizers of mteval and sacreBLEU, whose names stand in the signature. */
import {splitWords, trimEnd, trimStart} from './python-text.js';

/**
 * `13a`: mteval-v13a, the default for languages with spaces; `intl`: punctuation and symbols of all scripts; `zh`: Chinese characters one
 * by one, the rest as 13a; `char`: each code point; `none`: what spaces separate.
 */
export type BleuTokenizer = '13a' | 'intl' | 'zh' | 'char' | 'none';

/** The words of a line. */
export function bleuWords(line: string, tokenizer: BleuTokenizer): string[] {
  return splitWords(tokenizers[tokenizer](trimEnd(line)));
}

const tokenizers: {readonly [K in BleuTokenizer]: (line: string) => string} = {
  '13a': (line) => separateWestern(` ${unescaped(joined(line))} `),
  intl: separateInternational,
  zh: (line) => separateWestern(trimStart(line).replace(chineseCharacters, ' $& ')),
  char: (line) => Array.from(line).join(' '),
  none: (line) => line,
};

/** Words that a line end cut are put together, and `<skipped>` goes. */
function joined(line: string): string {
  return line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
}

function unescaped(line: string): string {
  return line
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
}

/** mteval-v13a: ASCII punctuation stands alone, but for points and commas in numbers, and for ' and - but after a digit. */
function separateWestern(line: string): string {
  return line
    .replace(/[ -&(-+/:-@[-`{-~]/gu, ' $& ')
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])-/gu, '$1 - ');
}

/** mteval-v14: punctuation stands alone, but between digits; symbols do in any case. */
function separateInternational(line: string): string {
  return line
    .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
    .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
    .replace(/\p{S}/gu, ' $& ');
}

/**
 * What `zh` takes for Chinese. 2001 to 2A6D, which has curly quotes and dashes, is an escape of sacreBLEU's that Python reads as two
 * characters; scores match with it alone.
 */
const chineseCharacters =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/gu;
