import { createRequire } from 'node:module';
import { dataTypes } from './addon.ts';

/** The messages of TensorFlow's protocol buffers that tfjs-node brings (google-protobuf), as far as they are used here. */
interface Message {
  serializeBinary(): Uint8Array;
}
type Setters = Record<string, (value: unknown) => void>;
type Messages = Record<string, new () => Message & Setters> & {
  readonly AttrValue: { new (): Message & Setters; readonly ListValue: new () => Message & Setters };
  readonly TensorShape: { new (): Message & Setters; readonly Dim: new () => Message & Setters };
  readonly MetaGraphDef: { new (): Message & Setters; readonly MetaInfoDef: new () => Message & Setters };
};

const messages = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Messages;

/** The GraphDef version that the op set used here belongs to (TensorFlow 2.12 and later read it). */
const graphVersion = { producer: 1395, minConsumer: 12 };

/** Makes a message and sets its fields: `make('NodeDef', { name: 'x' })`. */
function set<T extends Message & Setters>(message: T, fields: Readonly<Record<string, unknown>>): T {
  for (const [field, value] of Object.entries(fields)) {
    message[`set${field[0]!.toUpperCase()}${field.slice(1)}`]!(value);
  }
  return message;
}

export type Attribute = Message;

function attribute(fields: Readonly<Record<string, unknown>>): Attribute {
  return set(new messages.AttrValue(), fields);
}

function shapeMessage(shape: readonly number[]): Message {
  const dims = shape.map((size) => set(new messages.TensorShape.Dim(), { size }));
  return set(new messages.TensorShape(), { dimList: dims });
}

/** Attributes of nodes by their kind. */
export const attributes = {
  type: (type: number) => attribute({ type }),
  int: (i: number) => attribute({ i }),
  float: (f: number) => attribute({ f }),
  bool: (b: boolean) => attribute({ b }),
  string: (s: string) => attribute({ s: new TextEncoder().encode(s) }),
  shape: (shape: readonly number[]) => attribute({ shape: shapeMessage(shape) }),
  list: (kind: 'i' | 'f' | 'b' | 'type', values: readonly unknown[]) =>
    attribute({ list: set(new messages.AttrValue.ListValue(), { [`${kind}List`]: values }) }),
  /** `content`: the numbers in row-major order. */
  tensor: (dtype: number, shape: readonly number[], content: ArrayBufferView) =>
    attribute({
      tensor: set(new messages['Tensor']!(), {
        dtype,
        tensorShape: shapeMessage(shape),
        tensorContent: new Uint8Array(content.buffer, content.byteOffset, content.byteLength),
      }),
    }),
};

/** Writes a TensorFlow graph node by node. Outputs are named `node` or `node:index`; `^node` waits for a node without its value. */
export class GraphWriter {
  readonly #graph = new messages['GraphDef']!();
  #count = 0;

  /** Adds a node and returns its name. */
  node(op: string, inputs: readonly string[], attrs: Readonly<Record<string, Attribute>> = {}, name?: string): string {
    const nodeName = name ?? `${op}_${this.#count++}`;
    const node = set(new messages['NodeDef']!(), { name: nodeName, op, inputList: inputs });
    const map = (node as unknown as { getAttrMap(): Map<string, Attribute> }).getAttrMap();
    for (const [key, value] of Object.entries(attrs)) map.set(key, value);
    (this.#graph as Setters)['addNode']!(node);
    return nodeName;
  }

  constant(dtype: number, shape: readonly number[], content: ArrayBufferView): string {
    return this.node('Const', [], { dtype: attributes.type(dtype), value: attributes.tensor(dtype, shape, content) });
  }

  float(value: number): string {
    return this.constant(dataTypes.float32, [], Float32Array.of(value));
  }

  ints(values: readonly number[]): string {
    return this.constant(dataTypes.int32, [values.length], Int32Array.from(values));
  }

  int(value: number): string {
    return this.constant(dataTypes.int32, [], Int32Array.of(value));
  }

  cast(value: string, from: number, to: number): string {
    return this.node('Cast', [value], { SrcT: attributes.type(from), DstT: attributes.type(to) });
  }

  /** `saved_model.pb` with the graph alone, tagged `serve`. */
  savedModel(): Uint8Array {
    set(this.#graph, { versions: set(new messages['VersionDef']!(), graphVersion) });
    const info = new messages.MetaGraphDef.MetaInfoDef();
    info['addTags']!('serve');
    const meta = set(new messages.MetaGraphDef(), { metaInfoDef: info, graphDef: this.#graph });
    const model = set(new messages['SavedModel']!(), { savedModelSchemaVersion: 1 });
    model['addMetaGraphs']!(meta);
    return model.serializeBinary();
  }
}
