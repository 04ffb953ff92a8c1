import type { JsonObject } from './model-file.ts';

const randomLayers = new Set([
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'RandomWidth',
]);

/** What of a model's layers, nested ones included, decides how its steps are taken. */
export interface TopologyTraits {
  /** Whether a training step draws random numbers. */
  readonly isRandom: boolean;
  /** Whether layers do something else in training than in prediction. */
  readonly dependsOnTraining: boolean;
  /** Constraints on weights, by the option that asks for them. */
  readonly constraints: readonly string[];
}

/** Looks through a LayersModel as JSON: TensorFlow.js 4.22.0 is frozen, and so is its list of layers. */
export function traitsOf(topology: JsonObject): TopologyTraits {
  const objects = [...objectsIn(topology)];
  const has = (name: string): ((layer: JsonObject) => boolean) => {
    return (layer) => Number(layer[name]) > 0;
  };
  const isRandom = objects.some(
    (each) => randomLayers.has(String(each['class_name'])) || has('dropout')(each) || has('recurrent_dropout')(each),
  );
  const dependsOnTraining = isRandom || objects.some((each) => each['class_name'] === 'BatchNormalization');
  const constraints = objects.flatMap((each) =>
    Object.keys(each).filter((key) => key.endsWith('_constraint') && each[key] !== null && each[key] !== undefined),
  );
  return { isRandom, dependsOnTraining, constraints: [...new Set(constraints)] };
}

/** The topology without the seeds of dropout layers: TensorFlow.js would draw the same mask at every step. */
export function withoutDropoutSeeds(topology: JsonObject): JsonObject {
  const copy = structuredClone(topology);
  for (const { class_name: name, config } of objectsIn(copy)) {
    if (name === 'Dropout') delete (config as Record<string, unknown>)['seed'];
  }
  return copy;
}

/** The topology with weights that start at 0 where it says how they start: to draw them may take seconds (orthogonal ones). */
export function withZeroWeights(topology: JsonObject): JsonObject {
  const copy = structuredClone(topology);
  for (const each of objectsIn(copy)) {
    for (const key of Object.keys(each).filter((name) => name.endsWith('_initializer'))) {
      (each as Record<string, unknown>)[key] = { class_name: 'Zeros', config: {} };
    }
  }
  return copy;
}

function* objectsIn(value: unknown): Generator<JsonObject> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as JsonObject;
  for (const item of Object.values(value)) yield* objectsIn(item);
}
