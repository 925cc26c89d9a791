// Messages of gettext catalogues, in the order of the file.
import {mo, po} from 'gettext-parser';

/**
 * A paragraph and its translation, without mark-up.
 *
 * @typedef {object} Message
 * @property {string} document that it stands in
 * @property {string} english
 * @property {string} other empty where there is no translation
 */

/**
 * An entry as it stands in the catalogue. Of plural forms the singular.
 *
 * @typedef {{readonly context: string, readonly reference: string, readonly source: string, readonly translation: string}} Entry
 */

/**
 * The entries of a catalogue, translated or not; what is fuzzy counts as not translated.
 *
 * @param {Buffer} bytes of a file .po or .mo
 * @returns {Entry[]}
 */
export function entriesOf(bytes) {
  const isCompiled = bytes.length >= 4 && [0x950412de, 0xde120495].includes(bytes.readUInt32LE(0));
  const {translations} = isCompiled ? mo.parse(bytes) : po.parse(bytes, {validation: false});
  return Object.entries(translations).flatMap(([context, entries]) =>
    Object.values(entries).flatMap(({msgid, msgstr, comments}) => {
      if (msgid === '') return [];
      const isFuzzy = comments?.flag?.split(/[\s,]+/).includes('fuzzy') === true;
      return [
        {
          context,
          reference: comments?.reference ?? '',
          source: msgid,
          translation: isFuzzy ? '' : (msgstr[0] ?? ''),
        },
      ];
    }),
  );
}

/**
 * Entries as messages.
 *
 * @param {readonly Entry[]} entries
 * @param {(entry: Entry) => string} documentOf
 * @param {(markup: string) => string | undefined} plain text of mark-up; nothing where it has none
 * @returns {Message[]}
 */
export function messagesOf(entries, documentOf, plain) {
  return entries.flatMap((entry) => {
    const english = plain(entry.source);
    if (english === undefined) return [];
    return [{document: documentOf(entry), english, other: plain(entry.translation) ?? ''}];
  });
}
