/** Bytes as characters, the way byte-level BPE files write them since GPT-2: every byte one printable character. */

const isPrintable = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;

/** [256] the character of each byte. */
const byteCharacters: readonly string[] = byteTable();

function byteTable(): string[] {
  let shifted = 256;
  return Array.from({length: 256}, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : shifted++));
}

/** [256] the characters in the order of their code points, which is the order of their ids. */
export const alphabet: readonly string[] = [...byteCharacters].sort();

/** [256] the place of each byte in the alphabet. */
export const byteRanks: readonly number[] = byteCharacters.map((character) => alphabet.indexOf(character));
