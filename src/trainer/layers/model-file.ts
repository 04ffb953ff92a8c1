import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError, messageOf } from '../../errors.ts';

/** A JSON object as it stands in the file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A LayersModel as TensorFlow.js saves it. */
export interface ModelFile {
  /** The layers; what `modelTopology.model_config` or `modelTopology` holds. */
  readonly topology: JsonObject;
  /** Groups of weights as the manifest describes them, each with its bytes; null where the file has no manifest. */
  readonly weights: readonly { readonly specs: readonly JsonObject[]; readonly bytes: Uint8Array }[] | null;
}

/**
 * Reads a `model.json` and the weights that its manifest names, which lie beside it. Loads nothing of TensorFlow.js.
 * @throws ConfigError where a file is missing or is not a LayersModel.
 */
export function readModelFile(file: string): ModelFile {
  const document = parsed(file);
  const { modelTopology, weightsManifest } = document;
  const wrapped = isObject(modelTopology) ? modelTopology : document;
  const topology = isObject(wrapped['model_config']) ? wrapped['model_config'] : wrapped;
  if (typeof topology['class_name'] !== 'string' || topology['config'] === undefined) {
    const found = document['format'] === 'graph-model' ? 'a GraphModel, which cannot be trained' : 'something else';
    throw new ConfigError(
      'config.invalid',
      `${file}: is ${found}, expected a LayersModel as model.save() of TensorFlow.js writes it. ` +
        'A Keras model becomes one by tensorflowjs_converter --output_format=tfjs_layers_model.',
    );
  }
  return { topology, weights: Array.isArray(weightsManifest) ? weightsOf(file, weightsManifest) : null };
}

/** SHA-256 of the topology, keys sorted: what a state depends on. Weights are only where a model starts. */
export function topologyDigest({ topology }: ModelFile): string {
  const sorted = JSON.stringify(topology, (_, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return `sha256:${createHash('sha256').update(sorted).digest('hex')}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(file: string): JsonObject {
  const text = read(file, 'the model').toString();
  try {
    const document: unknown = JSON.parse(text);
    return isObject(document) ? document : {};
  } catch (error) {
    throw new ConfigError('config.invalid', `${file}: is not JSON (${messageOf(error)}), expected a LayersModel.`);
  }
}

function weightsOf(file: string, manifest: readonly unknown[]): NonNullable<ModelFile['weights']> {
  return manifest.filter(isObject).map(({ paths, weights }) => {
    const names = Array.isArray(paths) ? paths : [];
    const parts = names.map((name: unknown) => {
      // A model may come from anywhere: it names no file but its own.
      if (typeof name !== 'string' || /[/\\]|^\.\.?$/.test(name)) {
        throw new ConfigError(
          'config.invalid',
          `${file}: its weights are in ${JSON.stringify(name)}, expected a file beside it`,
        );
      }
      return read(join(dirname(file), name), 'the weights of the model');
    });
    return { specs: Array.isArray(weights) ? weights.filter(isObject) : [], bytes: Buffer.concat(parts) };
  });
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError('config.missing', `${file}: cannot read ${what} (${messageOf(error)}). Check the path.`);
  }
}
