import { type Addon, dataTypes, type OpAttribute } from './addon.ts';
import { type Attribute, attributes, type GraphWriter } from './graph-writer.ts';
import { NotRecordable } from './not-recordable.ts';
import { type GraphValue, Products } from './products.ts';
import type { RecordedOp } from './recording.ts';
import type { ByRows, Constant, Program } from './row-counts.ts';

/** Where values of a program come from in the graph. */
export interface Sources {
  readonly addon: Addon;
  /** An int32 scalar: the number of rows; null where the program has no input with rows. */
  readonly rows: string | null;
  /** By value number. */
  readonly outputs: Map<number, GraphValue>;
}

/** Writes a recorded program into a graph; afterwards `outputs` has every value of it. */
export function emitProgram(graph: GraphWriter, program: Program, { addon, rows, outputs }: Sources): void {
  for (const constant of program.constants) {
    const shape = constant.kind === 'filled' ? constant.shape.slope : constant.shape;
    outputs.set(constant.value, { name: emitConstant(graph, constant, rows), shape });
  }
  const products = new Products(graph, program.constants);
  for (const op of program.ops) {
    const inputs = op.inputs.map((value) => outputs.get(value)!);
    const attrs = attributesOf(addon, op);
    const names = inputs.map(({ name }) => name);
    const node = products.emit(op, inputs, attrs) ?? graph.node(op.name, names, attrs);
    op.outputs.forEach(({ value, shape }, i) => {
      outputs.set(value, { name: i === 0 ? node : `${node}:${i}`, shape });
    });
  }
}

function emitConstant(graph: GraphWriter, constant: Constant, rows: string | null): string {
  const { dtype } = constant;
  if (constant.kind === 'fixed') return graph.constant(dtype, constant.shape, constant.content);
  if (rows === null) throw new NotRecordable('the step depends on a number of rows that none of its inputs has');
  if (constant.kind === 'filled') {
    const dims = emitByRows(graph, constant.shape, [constant.shape.slope.length], rows);
    const attrs = { T: attributes.type(dtype), index_type: attributes.type(dataTypes.int32) };
    return graph.node('Fill', [dims, graph.constant(dtype, [], constant.content)], attrs);
  }
  if (constant.kind === 'byRows') {
    const numbers = emitByRows(graph, constant.numbers, constant.shape, rows);
    return dtype === dataTypes.int32 ? numbers : graph.cast(numbers, dataTypes.int32, dtype);
  }
  const rowsAsFloat = graph.cast(rows, dataTypes.int32, dataTypes.float32);
  const scale = graph.constant(dtype, constant.shape, Float32Array.of(constant.scale));
  return graph.node('RealDiv', [scale, rowsAsFloat], { T: attributes.type(dtype) });
}

/** An int32 tensor of that shape. */
function emitByRows(graph: GraphWriter, { slope, offset }: ByRows, shape: readonly number[], rows: string): string {
  const T = { T: attributes.type(dataTypes.int32) };
  const constant = (values: readonly number[]): string =>
    graph.constant(dataTypes.int32, shape, Int32Array.from(values));
  const product = graph.node('Mul', [constant(slope), rows], T);
  return offset.every((number) => number === 0) ? product : graph.node('AddV2', [product, constant(offset)], T);
}

function attributesOf(addon: Addon, { name, attributes: recorded, outputs }: RecordedOp): Record<string, Attribute> {
  const attrs = Object.fromEntries(recorded.map((each) => [each.name, attributeOf(addon, each)]));
  // tfjs-node leaves out its type, which TensorFlow infers only where it runs op by op.
  return name === 'ExpandDims' ? { ...attrs, T: attributes.type(outputs[0]!.dtype) } : attrs;
}

function attributeOf(addon: Addon, { name, type, value }: OpAttribute): Attribute {
  const isList = Array.isArray(value);
  switch (type) {
    case addon.TF_ATTR_STRING:
      return attributes.string(value as string);
    case addon.TF_ATTR_INT:
      return isList ? attributes.list('i', value) : attributes.int(value as number);
    case addon.TF_ATTR_FLOAT:
      return isList ? attributes.list('f', value) : attributes.float(value as number);
    case addon.TF_ATTR_BOOL:
      return isList ? attributes.list('b', value) : attributes.bool(value as boolean);
    case addon.TF_ATTR_TYPE:
      return isList ? attributes.list('type', value) : attributes.type(value as number);
    case addon.TF_ATTR_SHAPE:
      return attributes.shape(value as readonly number[]);
    default:
      throw new NotRecordable(`an op has an attribute ${name} of a kind that is not known here`);
  }
}
