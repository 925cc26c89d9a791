/** What is used of gettext-parser, which has no types of its own. */
declare module 'gettext-parser' {
  export interface Entry {
    readonly msgid: string;
    readonly msgid_plural?: string;
    readonly msgstr: readonly string[];
    readonly comments?: {readonly flag?: string; readonly reference?: string};
  }
  export interface Catalogue {
    /** Of the text's header entry; absent where it has none. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly translations: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  }
  export const po: {
    parse(text: string | Buffer, options?: {readonly validation?: boolean}): Catalogue;
  };
  export const mo: {parse(bytes: Buffer): Catalogue};
}
