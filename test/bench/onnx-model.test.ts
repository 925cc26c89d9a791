/** Models that are written without a library of Protocol Buffers or ONNX. */
import test from 'ava';
import {modelOf, type OnnxOp} from '../../bench/peers/onnxruntime/model.js';
import {integerField, message, messageField, textField} from '../../bench/peers/protobuf.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('numbers take seven bits of each byte, the lowest first', (t) => {
  // The example of the format's own description: field 1 is 150.
  t.is(hex(message([integerField(1, 150)])), '089601');
  t.is(hex(message([integerField(1, 0), integerField(1, 127), integerField(1, 128)])), '0800087f088001');
  // More than 32 bits; a field's number that needs a second byte itself.
  t.is(hex(message([integerField(16, 2 ** 35)])), '8001808080808001');
  t.throws(() => integerField(1, -1), {message: '-1 is no whole number from 0'});
  t.throws(() => integerField(1, 0.5), {message: '0.5 is no whole number from 0'});
});

test('texts and messages stand behind their lengths in bytes', (t) => {
  t.is(hex(message([textField(2, 'testing')])), '120774657374696e67'); // as above
  t.is(hex(message([textField(2, 'ü')])), '1202c3bc');
  t.is(hex(message([messageField(3, [integerField(1, 150)])])), '1a03089601'); // as above
  t.is(message([textField(1, 'x'.repeat(300))]).length, 1 + 2 + 300);
});

const op: OnnxOp = {
  op: 'Add',
  domain: 'd',
  integers: {n: 300},
  inputs: [{name: 'a', dtype: 'float32', shape: [2]}, undefined, {name: 'b', dtype: 'int32', shape: [0]}],
  outputs: [{name: 'y', dtype: 'float32', shape: [2]}],
};

test('a model has its op, what goes in and out, and the sets of ops it needs', (t) => {
  const wanted = [
    '08 08', // ir_version
    '3a 58', // graph
    '0a 1e 0a 01 61 0a 00 0a 01 62', // node, input: the one that is left out has no name
    '12 01 79 22 03 41 64 64', // output, op_type
    '2a 09 0a 01 6e 18 ac 02 a0 01 02', // attribute: name, i, type INT
    '3a 01 64', // domain
    '12 03 41 64 64', // name of the graph
    '5a 0f 0a 01 61 12 0a 0a 08 08 01 12 04 0a 02 08 02', // input: float, [2]
    '5a 0f 0a 01 62 12 0a 0a 08 08 06 12 04 0a 02 08 00', // input: int32, [0]
    '62 0f 0a 01 79 12 0a 0a 08 08 01 12 04 0a 02 08 02', // output
    '42 04 0a 00 10 11 42 05 0a 01 64 10 01', // opset_import
  ];
  t.is(hex(modelOf(op)), wanted.join('').replaceAll(' ', ''));
});

test('an op of ONNX itself has no domain and needs one set of ops', (t) => {
  const {domain: _domain, integers: _integers, ...plain} = op;
  const bytes = hex(modelOf(plain));
  t.true(bytes.endsWith('42040a001011'));
  t.false(bytes.includes('3a0164'));
});
