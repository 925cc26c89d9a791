/** Language codes as files spell them. */

/** Whether text marked `tag` is of a language: `en-GB` and `EN_us` are of `en`, but `en` is not of `en-GB`. */
export function isLanguage(tag: string, language: string): boolean {
  const [given, wanted] = [tag, language].map((each) => each.trim().toLowerCase().replaceAll('_', '-'));
  return wanted !== undefined && (given === wanted || given?.startsWith(`${wanted}-`) === true);
}
