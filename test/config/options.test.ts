import test from 'ava';
import {configJsonSchema, describeOptions, parseConfig} from '../../lib/config/index.js';

test('every option has a description that is a sentence', (t) => {
  const options = describeOptions();
  t.true(options.length > 70);
  for (const {path, description} of options) t.regex(description, /^[A-Z].*\.$/, path);
});

test('every default that the help tells is the default that is filled in', (t) => {
  const config = parseConfig('data: {monolingual: [{language: cs, files: a}]}\nobjectives: {recipe: mono}\n');
  const told = describeOptions().filter((option) => option.default !== undefined);
  for (const {path, default: value} of told) {
    if (path === 'data.root' || path.startsWith('model.ropeScaling')) continue; // made absolute; absent unless given
    const filled = path
      .split('.')
      .reduce<unknown>((node, part) => new Map(Object.entries(node ?? {})).get(part), config);
    t.deepEqual(filled, value, path);
  }
});

test('the JSON schema is strict, described and speaks of what a user writes', (t) => {
  const schema = configJsonSchema();
  t.deepEqual(schema.required, ['data']);
  t.like(schema.properties?.['training'], {properties: {accumulation: {minimum: 1}}});
  t.like(schema.properties?.['data'], {
    properties: {
      monolingual: {
        items: {
          type: 'object',
          properties: {
            language: {
              type: 'string',
              pattern: '^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$',
              description: 'Language of the text; also the name of its control token.',
            },
            files: {
              description:
                'Text files, or patterns such as `text/*.txt.gz`; plain, gzip or Zstandard: one sentence a line, a blank line between documents. Or JSON lines or Parquet with a document in each record.',
              anyOf: [
                {type: 'string', minLength: 1},
                {minItems: 1, type: 'array', items: {type: 'string', minLength: 1}},
              ],
            },
          },
          required: ['language', 'files'],
          additionalProperties: false,
        },
      },
    },
  });
});

test('choices of a section by its type are told together', (t) => {
  const type = describeOptions().find(({path}) => path === 'model.ropeScaling.type');
  t.is(type?.type, 'linear | llama3 | yarn');
});
