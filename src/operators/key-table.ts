import type { Snapshot } from '../records.ts';
import { arrayOf } from './snapshot-parts.ts';

/** A key's place: state of a key lives in arrays by `slot`, which is reused after an eviction; `id` never is. */
export interface KeyEntry {
  readonly id: number;
  readonly slot: number;
}

/** A key just seen. */
export interface SeenKey extends KeyEntry {
  /** True where the slot was given to the key just now and holds nothing of its own yet. */
  readonly isNew: boolean;
  /** Id of the key that had to leave, -1 where none had to. */
  readonly evictedId: number;
}

/** Ids for keys, for at most `limit` at a time: the key seen longest ago leaves. One table serves all keyed state. */
export class KeyTable {
  readonly #limit: number;
  /** Insertion order is recency: the first is the one seen longest ago. */
  readonly #entries = new Map<string, KeyEntry>();
  #nextId = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Looks without touching the recency. */
  find(key: string): KeyEntry | undefined {
    return this.#entries.get(key);
  }

  /** The key of an id, null where it has left. Walks the table: for rare cases. */
  keyOf(id: number): string | null {
    for (const [key, entry] of this.#entries) if (entry.id === id) return key;
    return null;
  }

  /** Marks a key as the latest seen, giving it an id, and a slot of the key that leaves where the table is full. */
  see(key: string): SeenKey {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return { ...known, isNew: false, evictedId: -1 };
    }
    const evicted = this.#entries.size < this.#limit ? undefined : this.#evict();
    const entry = { id: this.#nextId, slot: evicted?.slot ?? this.#entries.size };
    this.#nextId += 1;
    this.#entries.set(key, entry);
    return { ...entry, isNew: true, evictedId: evicted?.id ?? -1 };
  }

  #evict(): KeyEntry | undefined {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      return entry;
    }
    return undefined;
  }

  /** Keys from the one seen longest ago to the latest; `ids` and `slots` [keys] in the same order. */
  snapshot(): Snapshot {
    const entries = [...this.#entries.values()];
    return {
      json: { nextId: this.#nextId, keys: [...this.#entries.keys()] },
      arrays: {
        ids: Int32Array.from(entries, (entry) => entry.id),
        slots: Int32Array.from(entries, (entry) => entry.slot),
      },
    };
  }

  /** Only into an empty table. Under a smaller limit than before, the table keeps the size it had. */
  restore(snapshot: Snapshot): void {
    const { nextId, keys } = snapshot.json as unknown as { nextId: number; keys: readonly string[] };
    const ids = arrayOf(snapshot, 'ids', Int32Array);
    const slots = arrayOf(snapshot, 'slots', Int32Array);
    this.#nextId = nextId;
    for (const [index, key] of keys.entries()) this.#entries.set(key, { id: ids[index]!, slot: slots[index]! });
  }
}
