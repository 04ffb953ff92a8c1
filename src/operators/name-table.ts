/** Numbers names by first appearance, up to a limit: categories of a field, classes of a target. */
export class NameTable {
  readonly limit: number;
  readonly #ids = new Map<string, number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** All names by id. */
  get names(): readonly string[] {
    return [...this.#ids.keys()];
  }

  find(name: string): number | undefined {
    return this.#ids.get(name);
  }

  /** The id that `add` would give, without giving it: `limit` stands for all that found no place. */
  peek(name: string): number {
    return this.#ids.get(name) ?? this.#ids.size;
  }

  /** The id of a name, given one if it is new and there is room; else `limit`. */
  add(name: string): number {
    const id = this.peek(name);
    if (id === this.#ids.size && id < this.limit) this.#ids.set(name, id);
    return id;
  }
}
