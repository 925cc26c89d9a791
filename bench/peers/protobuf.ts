/**
 * Messages of Protocol Buffers, written field by field: what a message of ours needs, and no more.
 *
 * @see protobuf.dev/programming-guides/encoding
 */

/** The bytes of one field, its number in front. */
export type Field = readonly number[];

/** The kinds of what follows a field's number. */
const wire = {varint: 0, bytes: 2} as const;

/** A whole number that is not negative. */
export function integerField(number: number, value: number): Field {
  return [...tag(number, wire.varint), ...varint(value)];
}

export function textField(number: number, text: string): Field {
  return bytesField(number, [...Buffer.from(text)]);
}

/** A message inside a message. */
export function messageField(number: number, fields: readonly Field[]): Field {
  return bytesField(number, fields.flat());
}

/** The bytes of a whole message. */
export function message(fields: readonly Field[]): Uint8Array {
  return Uint8Array.from(fields.flat());
}

function bytesField(number: number, bytes: readonly number[]): Field {
  return [...tag(number, wire.bytes), ...varint(bytes.length), ...bytes];
}

function tag(number: number, kind: number): Field {
  return varint(number * 8 + kind);
}

/** Seven bits in each byte, the lowest first; the eighth says that another byte follows. */
function varint(value: number): Field {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no whole number from 0`);
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
