import { fmix32 } from '../fmix32.ts';

/** No slot: an empty tree or a missing neighbour. */
export const none = -1;

/**
 * Ordered sets of slots by (time, order of arrival), many in one arena: each set is named by its root slot.
 *
 * Treaps (Seidel & Aragon 1996) with priorities hashed from the order of arrival: O(log n) expected for every call.
 */
export class TimeTree {
  #times = new Float64Array(0);
  #arrivals = new Float64Array(0);
  #lefts = new Int32Array(0);
  #rights = new Int32Array(0);
  #priorities = new Uint32Array(0);
  /** Results of the last `#split`. */
  #low = none;
  #high = none;

  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void {
    this.#times = enlarged(this.#times, new Float64Array(capacity));
    this.#arrivals = enlarged(this.#arrivals, new Float64Array(capacity));
    this.#lefts = enlarged(this.#lefts, new Int32Array(capacity));
    this.#rights = enlarged(this.#rights, new Int32Array(capacity));
    this.#priorities = enlarged(this.#priorities, new Uint32Array(capacity));
  }

  /** Puts a slot that is in no set into one and returns the set's new root. `arrival` is unique. */
  insert(root: number, slot: number, timeMs: number, arrival: number): number {
    this.#times[slot] = timeMs;
    this.#arrivals[slot] = arrival;
    this.#lefts[slot] = none;
    this.#rights[slot] = none;
    this.#priorities[slot] = fmix32(arrival);
    return this.#insert(root, slot);
  }

  /** Takes a slot out of its set and returns the set's new root. */
  remove(root: number, slot: number): number {
    if (root === slot) return this.#merge(this.#lefts[slot]!, this.#rights[slot]!);
    if (this.#isBefore(slot, root)) this.#lefts[root] = this.remove(this.#lefts[root]!, slot);
    else this.#rights[root] = this.remove(this.#rights[root]!, slot);
    return root;
  }

  /** The earliest slot of a set, `none` where it is empty. */
  first(root: number): number {
    return this.#atOrAfter(root, -Infinity);
  }

  /** The slot whose time is nearest to `timeMs`, of equally near ones the earlier; `none` where the set is empty. */
  nearest(root: number, timeMs: number): number {
    const after = this.#atOrAfter(root, timeMs);
    let before = none;
    for (let node = root; node !== none;) {
      const isBefore = this.#times[node]! < timeMs;
      if (isBefore) before = node;
      node = isBefore ? this.#rights[node]! : this.#lefts[node]!;
    }
    if (before === none) return after;
    const isAfterNearer = after !== none && this.#times[after]! - timeMs < timeMs - this.#times[before]!;
    return isAfterNearer ? after : this.#atOrAfter(root, this.#times[before]!);
  }

  /** The earliest slot whose time is not below `timeMs`. */
  #atOrAfter(root: number, timeMs: number): number {
    let found = none;
    for (let node = root; node !== none;) {
      const isFound = this.#times[node]! >= timeMs;
      if (isFound) found = node;
      node = isFound ? this.#lefts[node]! : this.#rights[node]!;
    }
    return found;
  }

  #insert(root: number, slot: number): number {
    if (root === none) return slot;
    if (this.#priorities[slot]! > this.#priorities[root]!) {
      this.#split(root, slot);
      this.#lefts[slot] = this.#low;
      this.#rights[slot] = this.#high;
      return slot;
    }
    if (this.#isBefore(slot, root)) this.#lefts[root] = this.#insert(this.#lefts[root]!, slot);
    else this.#rights[root] = this.#insert(this.#rights[root]!, slot);
    return root;
  }

  /** Parts a set into those before and those after a slot that is not in it. */
  #split(root: number, slot: number): void {
    if (root === none) {
      this.#low = none;
      this.#high = none;
    } else if (this.#isBefore(root, slot)) {
      this.#split(this.#rights[root]!, slot);
      this.#rights[root] = this.#low;
      this.#low = root;
    } else {
      this.#split(this.#lefts[root]!, slot);
      this.#lefts[root] = this.#high;
      this.#high = root;
    }
  }

  /** Joins two sets of which all of the first is before all of the second. */
  #merge(low: number, high: number): number {
    if (low === none) return high;
    if (high === none) return low;
    if (this.#priorities[low]! > this.#priorities[high]!) {
      this.#rights[low] = this.#merge(this.#rights[low]!, high);
      return low;
    }
    this.#lefts[high] = this.#merge(low, this.#lefts[high]!);
    return high;
  }

  #isBefore(a: number, b: number): boolean {
    const [timeA, timeB] = [this.#times[a]!, this.#times[b]!];
    return timeA < timeB || (timeA === timeB && this.#arrivals[a]! < this.#arrivals[b]!);
  }
}

function enlarged<T extends Float64Array | Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
