import * as tf from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { ConfigError, messageOf } from '../../errors.ts';
import type { ModelFile } from './model-file.ts';
import { withSeededRandom } from './seeded-random.ts';
import { tfjsLayers } from './tfjs-layers.ts';
import { traitsOf, withoutDropoutSeeds, type TopologyTraits } from './topology.ts';

export interface NetWeight {
  /** `LAYER/WEIGHT`, the same for every instance of the model. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly variable: tf.Variable;
  /** False for what gradients do not change: frozen layers, the moving averages of batch norm. */
  readonly isTrained: boolean;
}

/** A LayersModel of TensorFlow.js that takes a row of features and gives raw outputs. Its weights are variables until it is disposed of. */
export interface LayersNet {
  /** Dimensions of a row as the model takes it; their product is the number of features. */
  readonly rowShape: readonly number[];
  readonly weights: readonly NetWeight[];
  readonly traits: TopologyTraits;
  /** From features [rowCount, ...rowShape] to the raw outputs [rowCount, outputCount]. In training it may assign weights that are not trained. */
  outputs(features: tf.Tensor, isTraining: boolean): tf.Tensor2D;
  /** What the regularizers of the layers add to the loss, null where there are none. */
  penalty(): tf.Tensor | null;
  dispose(): void;
}

export interface NetOptions {
  /** Named in errors. */
  readonly file: string;
  readonly featureCount: number;
  readonly outputCount: number;
  readonly seed: number;
}

/**
 * Builds the model on the backend in use, with the weights of the file or, where it has none, with those that its initializers draw
 * from the seed.
 * @throws ConfigError where TensorFlow.js cannot build it or its widths are not those of the pipeline; the message says what is needed.
 */
export async function layersNet(modelFile: ModelFile, options: NetOptions): Promise<LayersNet> {
  const { file } = options;
  const traits = traitsOf(modelFile.topology);
  if (traits.constraints.length > 0) {
    throw invalid(file, `it has ${traits.constraints.join(', ')}, which training does not keep; take it out`);
  }
  const model = await build(modelFile, options);
  try {
    const rowShape = rowShapeOf(model, options);
    refuseOtherOutputs(model, options);
    const weights = weightsOf(model, file);
    const penalties = new Set([...layersIn(model)].flatMap(({ losses }) => losses));
    return {
      rowShape,
      weights,
      traits,
      outputs: (features, training) => model.apply(features, { training }) as tf.Tensor2D,
      penalty: () => (penalties.size === 0 ? null : tf.addN([...penalties].map((penalty) => penalty()))),
      // Not by the model, which loses count of layers that are used twice.
      dispose: () => {
        tf.dispose(weights.map(({ variable }) => variable));
      },
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function invalid(file: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError('config.invalid', `${file}: ${problem}`, { cause });
}

async function build({ topology, weights }: ModelFile, { file, seed }: NetOptions): Promise<LayersModel> {
  try {
    // Building is synchronous; the promise is for weights, which are not asked for here.
    const modelTopology = withoutDropoutSeeds(topology) as never;
    const model = await withSeededRandom(seed, () => tfjsLayers.models.modelFromJSON({ modelTopology }));
    for (const { specs, bytes } of weights ?? []) {
      const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
      const values = tf.io.decodeWeights(buffer, specs as unknown as tf.io.WeightsManifestEntry[]);
      // All are loaded in the end; each group alone is a part.
      model.loadWeights(values, weights!.length === 1);
      tf.dispose(values);
    }
    return model;
  } catch (error) {
    throw invalid(file, `TensorFlow.js cannot build this model: ${messageOf(error)}`, error);
  }
}

function rowShapeOf(model: LayersModel, { file, featureCount }: NetOptions): readonly number[] {
  const needed = `rows of this pipeline have ${featureCount} numbers: it needs one input [null, ${featureCount}], or another shape of as many`;
  // A sequential model without an input shape is not built, and has none.
  const inputs = (model.inputs as LayersModel['inputs'] | undefined) ?? [];
  const shapes = inputs.map(({ shape }) => `[${shape.map(String).join(', ')}]`);
  if (inputs.length !== 1) throw invalid(file, `its inputs are ${shapes.join(' and ') || 'not declared'}; ${needed}`);
  const [rows, ...rest] = inputs[0]!.shape;
  const rowShape = rest.filter((size) => size !== null);
  const width = rowShape.reduce((product, size) => product * size, 1);
  if (rows !== null || rowShape.length < rest.length || width !== featureCount) {
    throw invalid(file, `its input is ${shapes[0]!}; ${needed}`);
  }
  return rowShape;
}

function refuseOtherOutputs(model: LayersModel, { file, outputCount }: NetOptions): void {
  const shapes = model.outputs.map(({ shape }) => `[${shape.map(String).join(', ')}]`);
  const needed = `[null, ${outputCount}]`;
  if (shapes.length !== 1 || shapes[0] !== needed) {
    const why = outputCount === 1 ? 'one number for regression' : 'one number for each of target.maxClasses';
    throw invalid(file, `its output is ${shapes.join(' and ')}; this pipeline needs ${needed}, ${why}`);
  }
  const last = model.outputs[0]!.sourceLayer;
  const activation: unknown = last.getConfig()['activation'];
  if (last.getClassName() === 'Softmax' || (activation !== undefined && activation !== 'linear')) {
    const found = typeof activation === 'string' ? activation : 'softmax';
    throw invalid(
      file,
      `its last layer "${last.name}" ends in ${found}; the loss takes outputs of any size and sign: give it the activation linear`,
    );
  }
  if (model.stateful)
    throw invalid(file, 'it has a stateful layer, whose state no checkpoint holds; use stateful: false');
}

/** The layer and those within it: TensorFlow.js itself counts no penalty of a recurrent cell. */
function* layersIn(layer: layers.Layer): Generator<layers.Layer> {
  yield layer;
  const within = layer as unknown as Readonly<Record<string, unknown>>;
  for (const key of ['layers', 'layer', 'forwardLayer', 'backwardLayer', 'cell', 'cells']) {
    for (const inner of [within[key]].flat()) {
      if (inner instanceof tfjsLayers.layers.Layer) yield* layersIn(inner);
    }
  }
}

function weightsOf(model: LayersModel, file: string): readonly NetWeight[] {
  const registered = new Map(Object.values(tf.engine().registeredVariables).map((each) => [each.dataId, each]));
  const trained = new Set(model.trainableWeights);
  const weights = model.weights.map((weight) => {
    const variable = registered.get(weight.read().dataId)!;
    return { name: weight.originalName, shape: variable.shape, variable, isTrained: trained.has(weight) };
  });
  const names = weights.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw invalid(file, `two of its weights are called ${twice}; give its layers names of their own`);
  if (trained.size === 0) throw invalid(file, 'it has no weight to train');
  return weights;
}
