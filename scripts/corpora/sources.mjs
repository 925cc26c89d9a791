// What the corpora are made of: where each comes from, and whose it is.

/**
 * @typedef {object} Source
 * @property {string} name of the corpus, and of its files
 * @property {string} package what it comes from
 * @property {string} licence
 * @property {string} attribution
 */

/** Every language but English, which all of them are paired with. */
export const languages = /** @type {const} */ (['cs', 'de', 'es', 'fr', 'id', 'ru', 'tr', 'uk', 'zh']);

/** @type {readonly Source[]} */
export const sources = [
  {
    name: 'libreoffice-help',
    package: 'libreoffice (Debian, source)',
    licence: 'MPL-2.0',
    attribution: 'The help of LibreOffice and its translations. Copyright the LibreOffice contributors.',
  },
  {
    name: 'wesnoth',
    package: 'wesnoth-1.16-* (Debian)',
    licence: 'GPL-2.0-or-later',
    attribution:
      'Story, dialogue and help of The Battle for Wesnoth and their translations. Copyright the Battle for Wesnoth contributors.',
  },
  {
    name: 'gnome-help',
    package: 'gnome-user-docs (Debian)',
    licence: 'CC-BY-SA-3.0',
    attribution:
      'GNOME Help and its translations. Copyright the GNOME Documentation Project and the translators.',
  },
  {
    name: 'debian-handbook',
    package: 'debian-handbook (Debian)',
    licence: 'GPL-2.0-or-later OR CC-BY-SA-3.0',
    attribution:
      "The Debian Administrator's Handbook and its translations. Copyright 2003-2021 Raphaël Hertzog, Roland Mas and the translators.",
  },
  {
    name: 'installation-guide',
    package: 'installation-guide (Debian, source)',
    licence: 'GPL-2.0-only',
    attribution:
      'The Debian GNU/Linux Installation Guide and its translations. Copyright 2004-2023 the Debian Installer team and the translators.',
  },
];

/**
 * @param {string} name
 * @returns {Source}
 */
export function sourceOf(name) {
  const source = sources.find((each) => each.name === name);
  if (source === undefined) throw new Error(`${name} is not among the sources`);
  return source;
}
