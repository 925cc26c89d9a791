/** Duplicate sentences are no evidence: a sentence that occurs twice cannot be told from itself. */

/**
 * Indices of the pairs that stay when every pair is left out whose source or target occurred in an earlier pair that
 * stayed. Texts are the same if they agree after NFC and with white space runs as one space.
 */
export function distinctPairs(sources: readonly string[], targets: readonly string[]): number[] {
  const seenSources = new Set<string>();
  const seenTargets = new Set<string>();
  const kept: number[] = [];
  sources.forEach((text, i) => {
    const [source, target] = [normalised(text), normalised(targets[i] ?? '')];
    if (seenSources.has(source) || seenTargets.has(target)) return;
    seenSources.add(source);
    seenTargets.add(target);
    kept.push(i);
  });
  return kept;
}

function normalised(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}
