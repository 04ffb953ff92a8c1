import type { FloatArray } from './output-head.ts';
import { below, float32Array, float64Array, withPrefix, type Arrays } from './snapshot-parts.ts';
import type { TrainingOptions } from './trainer.ts';

/** A named array that steps change in place. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: FloatArray;
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;
const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Takes steps over a model's parameters: plain SGD, or Adam (Kingma & Ba 2015, algorithm 1, with the paper's constants).
 *
 * The running powers of Adam's betas are state, so that a restored optimizer goes on bit by bit. Arithmetic is Float64;
 * values and slots are rounded to the parameter's own width.
 */
export class Optimizer {
  readonly #options: TrainingOptions;
  readonly #parameters: readonly Parameter[];
  readonly #firsts: readonly FloatArray[];
  readonly #seconds: readonly FloatArray[];
  readonly #nextValues: readonly FloatArray[];
  readonly #nextFirsts: readonly FloatArray[];
  readonly #nextSeconds: readonly FloatArray[];
  readonly #powers = Float64Array.of(1, 1);

  constructor(options: TrainingOptions, parameters: readonly Parameter[]) {
    this.#options = options;
    this.#parameters = parameters;
    const slots = options.optimizer === 'adam' ? parameters : [];
    this.#firsts = slots.map(zerosLike);
    this.#seconds = slots.map(zerosLike);
    this.#nextValues = parameters.map(zerosLike);
    this.#nextFirsts = slots.map(zerosLike);
    this.#nextSeconds = slots.map(zerosLike);
  }

  /**
   * One step down the gradients, in the order and shapes of the parameters. Gradients longer together than `clipNorm`
   * are scaled to it first. Returns false, having changed nothing, where a gradient or a result is not finite.
   */
  apply(gradients: readonly FloatArray[]): boolean {
    const scale = this.#clipScale(gradients);
    if (!Number.isFinite(scale)) return false;
    const isAdam = this.#options.optimizer === 'adam';
    for (let p = 0; p < this.#parameters.length; p++) {
      if (isAdam) this.#stageAdam(p, gradients[p]!, scale);
      else this.#stageSgd(p, gradients[p]!, scale);
    }
    const staged = [...this.#nextValues, ...this.#nextFirsts, ...this.#nextSeconds];
    if (!staged.every(isFiniteArray)) return false;
    this.#parameters.forEach((parameter, p) => {
      parameter.values.set(this.#nextValues[p]!);
    });
    this.#firsts.forEach((slot, p) => {
      slot.set(this.#nextFirsts[p]!);
    });
    this.#seconds.forEach((slot, p) => {
      slot.set(this.#nextSeconds[p]!);
    });
    this.#powers[0] = this.#powers[0]! * beta1;
    this.#powers[1] = this.#powers[1]! * beta2;
    return true;
  }

  /** `optimizer.powers`, `optimizer.first.NAME` and `optimizer.second.NAME` without the first word; nothing for SGD. */
  snapshot(): Arrays {
    if (this.#options.optimizer === 'sgd') return {};
    const copies = (slots: readonly FloatArray[]): Arrays =>
      Object.fromEntries(this.#parameters.map(({ name }, p) => [name, slots[p]!.slice()]));
    return {
      powers: this.#powers.slice(),
      ...withPrefix('first', copies(this.#firsts)),
      ...withPrefix('second', copies(this.#seconds)),
    };
  }

  /** Slots begin at zero where the snapshot has none, as after a change from SGD to Adam. */
  restore(arrays: Arrays): void {
    if (this.#options.optimizer === 'sgd' || arrays['powers'] === undefined) return;
    this.#powers.set(float64Array(arrays, 'powers', 2));
    const firsts = below('first', arrays);
    const seconds = below('second', arrays);
    this.#parameters.forEach(({ name }, p) => {
      copyFrom(firsts, name, this.#firsts[p]!);
      copyFrom(seconds, name, this.#seconds[p]!);
    });
  }

  /** What gradients are multiplied by; not finite where a gradient is not. */
  #clipScale(gradients: readonly FloatArray[]): number {
    let squares = 0;
    for (const gradient of gradients) {
      for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
    }
    const { clipNorm } = this.#options;
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm)) return NaN;
    return clipNorm === null || norm <= clipNorm ? 1 : clipNorm / norm;
  }

  #stageSgd(p: number, gradient: FloatArray, scale: number): void {
    const { values } = this.#parameters[p]!;
    const next = this.#nextValues[p]!;
    const rate = this.#options.learningRate * scale;
    for (let i = 0; i < values.length; i++) next[i] = values[i]! - rate * gradient[i]!;
  }

  #stageAdam(p: number, gradient: FloatArray, scale: number): void {
    const { values } = this.#parameters[p]!;
    const [firsts, seconds] = [this.#firsts[p]!, this.#seconds[p]!];
    const [next, nextFirsts, nextSeconds] = [this.#nextValues[p]!, this.#nextFirsts[p]!, this.#nextSeconds[p]!];
    const rate = this.#options.learningRate / (1 - this.#powers[0]! * beta1);
    const unbias2 = 1 / (1 - this.#powers[1]! * beta2);
    for (let i = 0; i < values.length; i++) {
      const slope = gradient[i]! * scale;
      const first = beta1 * firsts[i]! + (1 - beta1) * slope;
      const second = beta2 * seconds[i]! + (1 - beta2) * slope * slope;
      nextFirsts[i] = first;
      nextSeconds[i] = second;
      next[i] = values[i]! - (rate * first) / (Math.sqrt(second * unbias2) + epsilon);
    }
  }
}

/** Overwrites `target` with the array of that name, which must have its type and length. */
export function copyFrom(arrays: Arrays, name: string, target: FloatArray): void {
  const source = target instanceof Float32Array ? float32Array : float64Array;
  target.set(source(arrays, name, target.length));
}

function zerosLike({ values }: Parameter): FloatArray {
  return values instanceof Float32Array ? new Float32Array(values.length) : new Float64Array(values.length);
}

/** Whether all values are finite as float32, which is how weights leave the trainer. */
function isFiniteArray(values: FloatArray): boolean {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) <= largestFloat32)) return false;
  return true;
}
