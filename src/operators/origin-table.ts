import type { Snapshot } from '../records.ts';

/** A topic-partition that rows come from. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
}

/** Numbers topic-partitions by first appearance, so that a row carries an index instead of a name. Ids are never reused. */
export class OriginTable {
  readonly #origins: Origin[] = [];
  readonly #ids = new Map<string, number>();

  /** The id of a topic-partition, given one if it is new. */
  idOf(topic: string, partition: number): number {
    const name = `${topic}:${partition}`;
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#origins.length;
    this.#origins.push({ topic, partition });
    this.#ids.set(name, id);
    return id;
  }

  /** @throws RangeError where no such id was given. */
  origin(id: number): Origin {
    const origin = this.#origins[id];
    if (origin === undefined) throw new RangeError(`no origin has the id ${id}`);
    return origin;
  }

  /** All origins by id. */
  get origins(): readonly Origin[] {
    return this.#origins;
  }

  snapshot(): Snapshot {
    return { json: { origins: this.#origins.map(({ topic, partition }) => ({ topic, partition })) }, arrays: {} };
  }

  /** Only into an empty table, and only what `snapshot` wrote. */
  restore(snapshot: Snapshot): void {
    const { origins } = snapshot.json as unknown as { origins: readonly Origin[] };
    for (const { topic, partition } of origins) this.idOf(topic, partition);
  }
}
