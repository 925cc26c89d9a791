/** How llama.cpp cuts text into words before it merges: it knows a closed list of rules, by name. */
import {z} from 'zod';

/** The rule of a tokenizer, or what is against it. */
type WordRule = {readonly name: string} | {readonly fault: string};

const byteLevel = z.looseObject({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.literal(false),
  use_regex: z.boolean().default(true),
});
const split = z.looseObject({
  type: z.literal('Split'),
  pattern: z.strictObject({Regex: z.string()}),
  behavior: z.literal('Isolated'),
  invert: z.literal(false).default(false),
});
const digits = z.looseObject({type: z.literal('Digits'), individual_digits: z.literal(true)});
const step = z.union([byteLevel, split, digits]);
const sequence = z.looseObject({type: z.literal('Sequence'), pretokenizers: z.array(step)});
const preTokenizer = z.union([
  sequence.transform(({pretokenizers}) => pretokenizers),
  step.transform((one) => [one]),
]);

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const caselessContractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const qwen35 =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const qwen2 =
  '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const llama3 =
  '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** The names of llama.cpp's rules by steps of a pre-tokenizer; of two names the second is for words that are looked up whole first. */
const rules: Readonly<Record<string, readonly [merged: string, lookedUp?: string]>> = {
  [`${caselessContractions}|${qwen35}`]: ['qwen35'],
  [`${contractions}|${qwen35}`]: ['qwen35'],
  [`${caselessContractions}|${qwen2}`]: ['qwen2'],
  [`${contractions}|${qwen2}`]: ['qwen2'],
  [`${caselessContractions}|${llama3}`]: ['smaug-bpe', 'llama-bpe'],
  [`${contractions}|${llama3}`]: ['smaug-bpe', 'llama-bpe'],
  'words of GPT-2': ['gpt-2'],
  'single digits, words of GPT-2': ['smollm'],
};

/**
 * The rule of llama.cpp that cuts text as a tokenizer does.
 *
 * @param content `pre_tokenizer` of a `tokenizer.json`
 * @param looksUp its `model.ignore_merges`: whether a word that is a token stays whole, whatever the merges make of it
 */
export function wordRule(content: unknown, looksUp: boolean): WordRule {
  const parsed = preTokenizer.safeParse(content);
  if (!parsed.success) return {fault: 'has a pre_tokenizer that llama.cpp has no rule for'};
  const steps = parsed.data.flatMap((each) => {
    if (each.type === 'Split') return each.pattern.Regex;
    if (each.type === 'Digits') return 'single digits';
    return each.use_regex ? 'words of GPT-2' : [];
  });
  const names = parsed.data.at(-1)?.type === 'ByteLevel' ? rules[steps.join(', ')] : undefined;
  const name = names?.[looksUp ? 1 : 0];
  if (name !== undefined) return {name};
  const how = `${JSON.stringify(steps.join(', '))}${looksUp ? ' and keeps those that are tokens whole' : ''}`;
  return {fault: `cuts text into words by ${how}, which llama.cpp has no rule for`};
}
