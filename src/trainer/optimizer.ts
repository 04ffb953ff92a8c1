import type { FloatArray } from './output-head.ts';
import { below, float32Array, float64Array, withPrefix, type Arrays } from './snapshot-parts.ts';
import type { TrainingOptions } from './trainer.ts';
import { updateRule, type UpdateRule } from './update-rules.ts';

/** A named array that steps change in place. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: FloatArray;
}

const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Takes steps over a model's parameters by the rule that the options name. Slots and running powers are state, so that a restored
 * optimizer goes on bit by bit. Arithmetic is Float64; values and slots are rounded to the parameter's own width.
 */
export class Optimizer {
  readonly #options: TrainingOptions;
  readonly #rule: UpdateRule;
  readonly #parameters: readonly Parameter[];
  readonly #nextValues: readonly FloatArray[];
  /** By slot, then by parameter. */
  readonly #slots: readonly (readonly FloatArray[])[];
  readonly #nextSlots: readonly (readonly FloatArray[])[];
  readonly #powers: Float64Array;

  constructor(options: TrainingOptions, parameters: readonly Parameter[]) {
    this.#options = options;
    this.#rule = updateRule(options.optimizer);
    this.#parameters = parameters;
    this.#nextValues = parameters.map((parameter) => arrayLike(parameter, 0));
    const slots = (): FloatArray[][] =>
      this.#rule.slots.map(({ initial }) => parameters.map((parameter) => arrayLike(parameter, initial)));
    this.#slots = slots();
    this.#nextSlots = slots();
    this.#powers = new Float64Array(this.#rule.powerBases.length).fill(1);
  }

  /**
   * One step down the gradients, in the order and shapes of the parameters. Gradients longer together than `clipNorm`
   * are scaled to it first. Returns false, having changed nothing, where a gradient or a result is not finite.
   */
  apply(gradients: readonly FloatArray[]): boolean {
    const scale = this.#clipScale(gradients);
    if (!Number.isFinite(scale)) return false;
    this.#parameters.forEach(({ values }, p) => {
      this.#rule.stage({
        values,
        gradient: gradients[p]!,
        scale,
        learningRate: this.#options.learningRate,
        slots: this.#slots.map((arrays) => arrays[p]!),
        powers: this.#powers,
        nextValues: this.#nextValues[p]!,
        nextSlots: this.#nextSlots.map((arrays) => arrays[p]!),
      });
    });
    if (![...this.#nextValues, ...this.#nextSlots.flat()].every(isFiniteArray)) return false;
    this.#parameters.forEach(({ values }, p) => {
      values.set(this.#nextValues[p]!);
      this.#slots.forEach((arrays, s) => {
        arrays[p]!.set(this.#nextSlots[s]![p]!);
      });
    });
    this.#rule.powerBases.forEach((base, i) => (this.#powers[i] = this.#powers[i]! * base));
    return true;
  }

  /** `optimizer.powers` and `optimizer.SLOT.NAME` without the first word; nothing where the rule remembers nothing. */
  snapshot(): Arrays {
    const slots = this.#rule.slots.map(({ name }, s) =>
      withPrefix(
        name,
        Object.fromEntries(this.#parameters.map((parameter, p) => [parameter.name, this.#slots[s]![p]!.slice()])),
      ),
    );
    const powers = this.#powers.length === 0 ? {} : { powers: this.#powers.slice() };
    return Object.assign(powers, ...slots) as Arrays;
  }

  /** All begins anew where the snapshot has no slot of the rule, as after a change from one rule to another. */
  restore(arrays: Arrays): void {
    const { slots, powerBases } = this.#rule;
    if (
      !hasSlots(
        arrays,
        slots.map(({ name }) => name),
      )
    )
      return;
    if (powerBases.length > 0) this.#powers.set(float64Array(arrays, 'powers', powerBases.length));
    slots.forEach(({ name: slot }, s) => {
      const saved = below(slot, arrays);
      this.#parameters.forEach(({ name }, p) => {
        copyFrom(saved, name, this.#slots[s]![p]!);
      });
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
}

/** Whether the arrays of a saved optimizer are those of a rule with these slots. */
export function hasSlots(arrays: Arrays, slots: readonly string[]): boolean {
  return Object.keys(arrays).some((name) => slots.some((slot) => name.startsWith(`${slot}.`)));
}

/** Overwrites `target` with the array of that name, which must have its type and length. */
export function copyFrom(arrays: Arrays, name: string, target: FloatArray): void {
  const source = target instanceof Float32Array ? float32Array : float64Array;
  target.set(source(arrays, name, target.length));
}

function arrayLike({ values }: Parameter, initial: number): FloatArray {
  const array = values instanceof Float32Array ? new Float32Array(values.length) : new Float64Array(values.length);
  return array.fill(initial);
}

/** Whether all values are finite as float32, which is how weights leave the trainer. */
function isFiniteArray(values: FloatArray): boolean {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) <= largestFloat32)) return false;
  return true;
}
