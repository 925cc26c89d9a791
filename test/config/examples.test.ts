import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {configLanguages, loadConfig} from '../../lib/config/index.js';

const folder = join(import.meta.dirname, '..', '..', '..', 'examples');

for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml')))
  test(`examples/${name} is a valid configuration`, async (t) => {
    const config = await loadConfig(join(folder, name));
    t.is(`${config.name}.yaml`, name);
    t.true(configLanguages(config).length >= 2);
  });

test('examples/ten-million.yaml has about ten million parameters, eight languages and all objectives', async (t) => {
  const {model, tokenizer, objectives, ...config} = await loadConfig(join(folder, 'ten-million.yaml'));
  const attention = 2 * model.features * (model.heads + model.kvHeads) * model.headDim;
  const block = attention + 3 * model.features * model.hiddenFeatures + 2 * model.features;
  const parameters = tokenizer.vocabSize * model.features + model.layers * block + model.features;
  t.true(model.tiedHead && parameters > 9e6 && parameters < 11e6, String(parameters));
  t.is(configLanguages(config).length, 8);
  t.true(Object.values(objectives).every(({weight}) => weight > 0));
});
