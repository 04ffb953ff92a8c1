import { fmix32 } from '../fmix32.ts';

/**
 * Random numbers that are a function of where they are asked for, so that any record can be made without those before it.
 * `stream` (a 32-bit integer) tells signals apart; `index` is any integer of up to 53 bits.
 */
export class CounterRandom {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = fmix32(seed);
  }

  /** Uniform in [0, 1), in steps of 2⁻³². */
  uniform(stream: number, index: number): number {
    const high = fmix32(Math.floor(index / 4294967296) ^ fmix32(stream ^ this.#seed));
    return fmix32((index >>> 0) ^ high) / 4294967296;
  }

  /** Normal with mean 0 and deviation 1 (Box and Muller 1958). */
  normal(stream: number, index: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(stream, 2 * index)));
    return radius * Math.cos(2 * Math.PI * this.uniform(stream, 2 * index + 1));
  }

  /** A slow random wave in [−1, 1) over `time`, which is 0 or more: one new level each unit, smoothly joined (value noise). */
  wave(stream: number, time: number): number {
    const start = Math.floor(time);
    const part = time - start;
    const weight = part * part * (3 - 2 * part);
    const level = this.uniform(stream, start) * (1 - weight) + this.uniform(stream, start + 1) * weight;
    return 2 * level - 1;
  }
}
