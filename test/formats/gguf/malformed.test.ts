import {open, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {readGguf} from '../../../lib/formats/index.js';
import {temporaryFolder} from '../folder.js';
import {code, entry, file, info, int, text, u32, u64} from './by-hand.js';

const one = info('a', [1], 0, 0);
const four = Buffer.alloc(4);
/** Malformed files, each with what the error says after the path. */
const malformed: readonly (readonly [string, Buffer, string])[] = [
  ['an empty file', Buffer.alloc(0), 'ends inside its first 4 bytes: 4 bytes needed, it has 0'],
  ['another format', file({magic: 'GGML'}), 'does not start with the letters GGUF'],
  ['an older version', file({version: 2}), 'has version 2; crossmap reads version 3'],
  [
    'a big-endian file',
    file({version: 0x03000000}),
    'is for big-endian machines; crossmap reads little-endian files',
  ],
  [
    'a file that ends in its counts',
    file({alignment: 1}).subarray(0, 20),
    'ends inside the number of metadata entries: ',
  ],
  [
    'more tensors than any model has',
    file({counts: [2n ** 63n, 0]}),
    `has ${2n ** 63n} as the number of tensors; ${2 ** 18} is the most`,
  ],
  [
    'more entries than any model has',
    file({counts: [0, 2 ** 17]}),
    `has ${2 ** 17} as the number of metadata entries; ${2 ** 16} is the most`,
  ],
  [
    'a key that is longer than the file',
    file({entries: [Buffer.concat([u64(2n ** 40n), Buffer.from('a')])]}),
    `has ${2n ** 40n} as the length of the key of metadata entry 0; `,
  ],
  [
    'a key with a space',
    file({entries: [entry('a b', code.u8, int(1, 1))]}),
    'has "a b" as the key of metadata entry 0',
  ],
  ['an empty key', file({entries: [entry('', code.u8, int(1, 1))]}), 'has "" as the key of metadata entry 0'],
  [
    'a key twice',
    file({entries: [entry('a', code.u8, int(1, 1)), entry('a', code.u8, int(1, 1))]}),
    'has the metadata a twice',
  ],
  [
    'a value of no type',
    file({entries: [entry('a', 13, int(1, 1))]}),
    'gives metadata a the type 13, which is not known',
  ],
  [
    'a truth value of 2',
    file({entries: [entry('a', code.bool, int(2, 1))]}),
    'has 2 as metadata a, a truth value: 0 or 1',
  ],
  [
    'bytes that are no UTF-8',
    file({entries: [entry('a', code.text, text(Buffer.from([0xff])))]}),
    'has bytes that are no UTF-8 in metadata a',
  ],
  [
    'an array of no type',
    file({entries: [entry('a', code.array, u32(13), u64(0))]}),
    'gives the elements of metadata a the type 13, which is not known',
  ],
  [
    'an array longer than the file',
    file({entries: [entry('a', code.array, u32(code.u8), u64(1000))], alignment: 1}),
    'ends inside an element of metadata a: ',
  ],
  [
    'an array longer than any vocabulary',
    file({entries: [entry('a', code.array, u32(code.u8), u64(2n ** 60n))]}),
    `has ${2n ** 60n} as the number of elements of metadata a; ${2 ** 22} is the most`,
  ],
  [
    'arrays that are too long together',
    file({
      entries: [
        entry('a', code.array, u32(code.u8), u64(2 ** 22), Buffer.alloc(2 ** 22)),
        entry('b', code.array, u32(code.u8), u64(1), int(1, 1)),
      ],
    }),
    `has more than ${2 ** 22} elements in its arrays, with metadata b`,
  ],
  [
    'arrays in arrays without end',
    file({entries: [entry('a', code.array, ...Array.from({length: 9}, () => [u32(9), u64(1)]).flat())]}),
    'has arrays in arrays deeper than 4 in an element of an element of an element of an element of metadata a',
  ],
  ...[0, 4, 12, 2 ** 31 + 1].map(
    (alignment) =>
      [
        `an alignment of ${alignment}`,
        file({entries: [entry('general.alignment', code.u32, u32(alignment))]}),
        'has a general.alignment that is no uint32 power of two of 8 at least',
      ] as const,
  ),
  [
    'an alignment of another type',
    file({entries: [entry('general.alignment', code.u64, u64(32))]}),
    'has a general.alignment that is no uint32 power of two of 8 at least',
  ],
  [
    'a name of 65 bytes',
    file({infos: [info('a'.repeat(65), [1], 0, 0)], data: four}),
    `has a name of more than 64 bytes at tensor 0: "${'a'.repeat(65)}"`,
  ],
  [
    'a tensor twice',
    file({infos: [one, info('a', [1], 0, 32)], data: Buffer.alloc(36)}),
    'has the tensor "a" twice',
  ],
  [
    'five axes',
    file({infos: [info('a', [1, 1, 1, 1, 1], 0, 0)], data: four}),
    'gives tensor "a" 5 axes; 4 is the most',
  ],
  [
    'a size beyond all memory',
    file({infos: [info('a', [2n ** 60n], 0, 0)], data: four}),
    `has ${2n ** 60n} as a size of tensor "a"; `,
  ],
  [
    'a shape beyond all memory',
    file({infos: [info('a', [2 ** 40, 2 ** 40], 0, 0)], data: four}),
    `is cut off: tensor "a" ends at byte ${2 ** 82} of the data, which has 4`,
  ],
  [
    'a tensor of no type',
    file({infos: [info('a', [1], 4, 0)], data: four}),
    'gives tensor "a" the type 4, which is not known',
  ],
  [
    'rows that are not whole blocks',
    file({infos: [info('a', [33, 2], 8, 0)], data: Buffer.alloc(99)}),
    'gives tensor "a" the shape [2, 33]; rows of q8_0 have a multiple of 32 elements',
  ],
  [
    'an offset that is not aligned',
    file({infos: [one, info('b', [1], 0, 4)], data: Buffer.alloc(36)}),
    'has tensor "b" at byte 4 of the data, which is no multiple of 32: 32 expected',
  ],
  [
    'an overlap',
    file({infos: [one, info('b', [1], 0, 0)], data: Buffer.alloc(36)}),
    'has tensor "b" at byte 0 of the data, which overlaps what lies before it: 32 expected',
  ],
  [
    'a hole',
    file({infos: [one, info('b', [1], 0, 64)], data: Buffer.alloc(68)}),
    'has tensor "b" at byte 64 of the data, which leaves a hole before it: 32 expected',
  ],
  [
    'data cut off',
    file({infos: [info('a', [2], 0, 0)], data: Buffer.alloc(7)}),
    'is cut off: tensor "a" ends at byte 8 of the data, which has 7',
  ],
  [
    'padding cut off',
    file({infos: [one], alignment: 1}),
    'is cut off: tensor "a" ends at byte 4 of the data, which has 0',
  ],
  [
    'bytes behind the last tensor',
    file({infos: [one], data: Buffer.alloc(33)}),
    'has 1 bytes behind its last tensor',
  ],
];
for (const [what, bytes, says] of malformed)
  test(`refused: ${what}`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.gguf');
    await writeFile(path, bytes);
    const error = await t.throwsAsync(readGguf(path), {code: 'ERR_FORMAT'});
    t.true(error?.message.startsWith(`GGUF file ${path} ${says}`), error?.message);
  });

test('a header that never ends is refused when it has grown too long, not when memory has run out', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  const handle = await open(path, 'w');
  // A sparse file of 1 TB: its one value claims to be a text of half of it.
  await handle.write(
    file({entries: [Buffer.concat([text('a'), u32(code.text), u64(2 ** 39)])], alignment: 1}),
  );
  await handle.truncate(2 ** 40);
  await handle.close();
  await t.throwsAsync(readGguf(path), {
    code: 'ERR_FORMAT',
    message: `GGUF file ${path} has a header of more than ${2 ** 27} bytes`,
  });
});

test('a file that shrinks after its header was read is ERR_FORMAT, not short data', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  await writeFile(path, file({infos: [info('a', [2], 0, 0)], data: Buffer.alloc(8)}));
  const {read} = await readGguf(path);
  await truncate(path, (await readFile(path)).length - 3);
  await t.throwsAsync(read('a'), {
    code: 'ERR_FORMAT',
    message: `GGUF file ${path} is cut off: tensor "a" has 5 of 8 bytes`,
  });
});
