import type { RawRows, ServedVersion } from './predictor.ts';
import { maxRequestRows } from './requests.ts';

/** Rows of a request that wait for the end of the turn. */
interface Waiting {
  readonly version: ServedVersion;
  readonly model: string;
  readonly rows: RawRows;
  readonly resolve: (outputs: Float64Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Predicts the rows of all requests that come in one turn of the event loop together (dynamic batching without a delay): a
 * model runs once for many requests, and their answers leave one right behind the other, while their reader is still awake.
 */
export class PredictionBatcher {
  #waiting: Waiting[] = [];

  /** What `version.predict` gives, at the end of this turn or, behind `maxRequestRows` rows of others, of a later one. */
  predict(version: ServedVersion, model: string, rows: RawRows): Promise<Float64Array> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ version, model, rows, resolve, reject }) === 1) this.#flushLater();
    });
  }

  #flushLater(): void {
    setImmediate(() => {
      this.#flush();
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    const [first] = waiting;
    let rowCount = 0;
    // Requests come in any mixture, but nearly always all for one model of one version.
    const end = waiting.findIndex(({ version, model, rows }) => {
      rowCount += rows.rowCount;
      return version !== first?.version || model !== first.model || (rowCount > maxRequestRows && rows !== first.rows);
    });
    this.#waiting = end < 0 ? [] : waiting.slice(end);
    if (this.#waiting.length > 0) this.#flushLater();
    void predictTogether(end < 0 ? waiting : waiting.slice(0, end));
  }
}

/** `group`: for one model of one version. Tells each of them how it ended; never rejects. */
async function predictTogether(group: readonly Waiting[]): Promise<void> {
  const [{ version, model, rows: firstRows }] = group as readonly [Waiting];
  const rows = group.length === 1 ? firstRows : joined(group.map((waiting) => waiting.rows));
  let outputs: Float64Array;
  try {
    outputs = await version.predict(model, rows);
  } catch (error) {
    for (const { reject } of group) reject(error);
    return;
  }
  const width = version.classes?.length ?? 1;
  let at = 0;
  for (const { rows: own, resolve } of group) {
    const end = at + own.rowCount * width;
    resolve(outputs.subarray(at, end));
    at = end;
  }
}

function joined(parts: readonly RawRows[]): RawRows {
  const total = (lengthOf: (rows: RawRows) => number): number => parts.reduce((sum, rows) => sum + lengthOf(rows), 0);
  const rowCount = total((rows) => rows.rowCount);
  const features = new Float64Array(total((rows) => rows.features.length));
  const ownTargets = new Float64Array(rowCount);
  const keyIds = new Int32Array(rowCount);
  let row = 0;
  let feature = 0;
  for (const rows of parts) {
    features.set(rows.features, feature);
    ownTargets.set(rows.ownTargets, row);
    keyIds.set(rows.keyIds, row);
    feature += rows.features.length;
    row += rows.rowCount;
  }
  return { rowCount, features, ownTargets, keyIds };
}
