/** The kinds of value that options take. Each error is the phrase after "must be": messages.ts builds the sentence. */
import {z} from 'zod';

/** A whole number from `minimum` on. */
export function wholeNumber(minimum: number) {
  const error = `a whole number, ${minimum} or more`;
  return z.int({error}).min(minimum, {error});
}

/** A number above 0. */
export function positive() {
  const error = 'a number above 0';
  return z.number({error}).gt(0, {error});
}

/** A number from `minimum` on. */
export function atLeast(minimum: number) {
  const error = `a number, ${minimum} or more`;
  return z.number({error}).min(minimum, {error});
}

/** A share of a whole: 0 to 1. */
export function share() {
  const error = 'a number from 0 to 1';
  return z.number({error}).min(0, {error}).max(1, {error});
}

/** A share that leaves something: 0 to 1, 1 itself left out. */
export function shareBelowOne() {
  const error = 'a number from 0 to 1, 1 itself left out';
  return z.number({error}).min(0, {error}).lt(1, {error});
}

/** Text that is not empty. */
export function text() {
  const error = 'text that is not empty';
  return z.string({error}).min(1, {error});
}

/** True or false. */
export function flag() {
  return z.boolean({error: 'true or false'});
}

/** One of a few words. */
export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, {error: values.length === 1 ? values[0] : `one of ${values.join(', ')}`});
}

/** A list with at least one item. */
export function list<Item extends z.ZodType>(item: Item, ofWhat: string) {
  const error = `a list of ${ofWhat}`;
  return z.array(item, {error}).min(1, {error: `${error} with at least one item`});
}

/** A section: a map of options in which every name must be known. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {error: 'a section: a map of options'});
}

/** The name of a language as its control token spells it: `<cs>`, `<zh-Hant>`. */
export function language() {
  const error = 'a language code such as cs, zh or pt-BR';
  return z.string({error}).regex(/^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$/, {error});
}

/** A name that can be part of the name of a file. */
export function name() {
  const error = 'a name of letters, digits, - and _';
  return z.string({error}).regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, {error});
}

/** One file or a list of files; always a list once read. */
export function files() {
  return z
    .union([text(), list(text(), 'files')], {error: 'a file or a list of files'})
    .transform((value): string[] => (typeof value === 'string' ? [value] : value));
}
