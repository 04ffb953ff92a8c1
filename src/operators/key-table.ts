import type { Snapshot } from '../records.ts';
import { arrayOf } from './snapshot-parts.ts';

/** A key's place: state of a key lives in arrays by `slot`, which is reused after an eviction; `id` never is. */
export interface KeyEntry {
  readonly id: number;
  readonly slot: number;
}

const none = -1;

/**
 * Ids for keys, for at most `limit` at a time: the key seen longest ago leaves. One table serves all keyed state.
 * Recency is a list threaded through the slots, since moving a key within a Map costs microseconds.
 */
export class KeyTable {
  readonly #limit: number;
  readonly #slots = new Map<string, number>();
  /** By slot; slots 0 to size - 1 are all in use. */
  readonly #keys: string[] = [];
  #ids = new Int32Array(64);
  #older = new Int32Array(64);
  #newer = new Int32Array(64);
  #oldest = none;
  #newest = none;
  #nextId = 0;
  #isNew = false;
  #evictedId = none;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Looks without touching the recency. */
  find(key: string): KeyEntry | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : { id: this.#ids[slot]!, slot };
  }

  /** The key of an id, null where it has left. Walks the table: for rare cases. */
  keyOf(id: number): string | null {
    return this.#keys[this.#ids.subarray(0, this.size).indexOf(id)] ?? null;
  }

  /** The id of the key that has a slot. */
  idOf(slot: number): number {
    return this.#ids[slot]!;
  }

  /** True where the latest `see` gave the key its slot, which holds nothing of its own yet. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Id of the key that had to leave in the latest `see`, -1 where none had to. */
  get evictedId(): number {
    return this.#evictedId;
  }

  /**
   * The slot of a key, which is now the latest seen. A new one gets an id, and the slot of the key that leaves where the
   * table is full.
   */
  see(key: string): number {
    const known = this.#slots.get(key);
    this.#evictedId = none;
    this.#isNew = known === undefined;
    if (known === undefined) return this.#add(key);
    if (known !== this.#newest) {
      this.#unlink(known);
      this.#append(known);
    }
    return known;
  }

  /** Keys from the one seen longest ago to the latest; `ids` and `slots` [keys] in the same order. */
  snapshot(): Snapshot {
    const slots = new Int32Array(this.size);
    for (let index = 0, slot = this.#oldest; slot !== none; index += 1, slot = this.#newer[slot]!) slots[index] = slot;
    return {
      json: { nextId: this.#nextId, keys: Array.from(slots, (slot) => this.#keys[slot]!) },
      arrays: { ids: slots.map((slot) => this.#ids[slot]!), slots },
    };
  }

  /** Only into an empty table. Under a smaller limit than before, the table keeps the size it had. */
  restore(snapshot: Snapshot): void {
    const { nextId, keys } = snapshot.json as unknown as { nextId: number; keys: readonly string[] };
    const ids = arrayOf(snapshot, 'ids', Int32Array);
    const slots = arrayOf(snapshot, 'slots', Int32Array);
    this.#nextId = nextId;
    for (const [index, key] of keys.entries()) this.#put(slots[index]!, key, ids[index]!);
  }

  #add(key: string): number {
    let slot = this.size;
    if (slot >= this.#limit) {
      slot = this.#oldest;
      this.#evictedId = this.#ids[slot]!;
      this.#unlink(slot);
      this.#slots.delete(this.#keys[slot]!);
    }
    this.#put(slot, key, this.#nextId);
    this.#nextId += 1;
    return slot;
  }

  #put(slot: number, key: string, id: number): void {
    if (slot >= this.#ids.length) this.#grow(2 * slot);
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#ids[slot] = id;
    this.#append(slot);
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = none;
    if (this.#newest === none) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older === none) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer === none) this.#newest = older;
    else this.#older[newer] = older;
  }

  #grow(slots: number): void {
    const grown = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const wider = new Int32Array(slots);
      wider.set(column);
      return wider;
    };
    this.#ids = grown(this.#ids);
    this.#older = grown(this.#older);
    this.#newer = grown(this.#newer);
  }
}
