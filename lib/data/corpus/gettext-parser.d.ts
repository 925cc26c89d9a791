/** What is used of gettext-parser, which has no types of its own. */
declare module 'gettext-parser' {
  export interface Entry {
    readonly msgid: string;
    readonly msgid_plural?: string;
    readonly msgstr: readonly string[];
    readonly comments?: {readonly flag?: string};
  }
  export const po: {
    parse(
      text: string,
      options?: {readonly validation?: boolean},
    ): {
      /** Of the text's header entry; absent where it has none. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly translations: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
    };
  };
}
