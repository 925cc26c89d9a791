/** Models of one op, in the format of ONNX: onnx.proto3 has the numbers of the fields. */
import {integerField, message, messageField, textField, type Field} from '../protobuf.js';

/** TensorProto.DataType. */
const elements = {float32: 1, int32: 6} as const;

/** AttributeProto.AttributeType. */
const intAttribute = 2;

/** What an op reads or writes. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: keyof typeof elements;
  readonly shape: readonly number[];
}

export interface OnnxOp {
  readonly op: string;
  /** Where it is not of ONNX itself. */
  readonly domain?: string;
  readonly integers?: Readonly<Record<string, number>>;
  /** By position; undefined for one that is left out. */
  readonly inputs: readonly (OnnxValue | undefined)[];
  /** By position. */
  readonly outputs: readonly OnnxValue[];
}

/** Since 2021: what our ops need has not changed after it. */
const irVersion = 8;
const onnxVersion = 17;

/** The bytes of a model of one op. */
export function modelOf(op: OnnxOp): Uint8Array {
  return message([
    integerField(1, irVersion),
    messageField(7, graph(op)),
    opset('', onnxVersion),
    ...(op.domain === undefined ? [] : [opset(op.domain, 1)]),
  ]);
}

function opset(domain: string, version: number): Field {
  return messageField(8, [textField(1, domain), integerField(2, version)]);
}

function graph(op: OnnxOp): readonly Field[] {
  return [
    messageField(1, node(op)),
    textField(2, op.op),
    ...op.inputs.flatMap((input) => (input === undefined ? [] : [messageField(11, valueInfo(input))])),
    ...op.outputs.map((output) => messageField(12, valueInfo(output))),
  ];
}

function node({op, domain, integers = {}, inputs, outputs}: OnnxOp): readonly Field[] {
  return [
    ...inputs.map((input) => textField(1, input?.name ?? '')),
    ...outputs.map(({name}) => textField(2, name)),
    textField(4, op),
    ...Object.entries(integers).map(([name, value]) =>
      messageField(5, [textField(1, name), integerField(3, value), integerField(20, intAttribute)]),
    ),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  ];
}

/** ValueInfoProto > TypeProto > Tensor > TensorShapeProto > Dimension. */
function valueInfo({name, dtype, shape}: OnnxValue): readonly Field[] {
  const dimensions = shape.map((size) => messageField(1, [integerField(1, size)]));
  const tensor = [integerField(1, elements[dtype]), messageField(2, dimensions)];
  return [textField(1, name), messageField(2, [messageField(1, tensor)])];
}
