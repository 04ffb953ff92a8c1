import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PipelineError } from '../../src/errors.ts';
import { PromotionGate, type Contestant, type PromotionState } from '../../src/promotion/gate.ts';
import type { LabelledRows, PromotionDecision, TrialSlices } from '../../src/records.ts';
import { CounterRandom } from '../../src/sensors/counter-random.ts';

const options = { margin: 0.05, forgetting: 0.5, confidence: 0.95 };

/** A version whose mean losses on recent rows and on those before are given. */
interface Spec {
  readonly recent: number;
  readonly past: number;
}

const idOf = (number: number): string => `checkpoint-${String(number).padStart(12, '0')}`;

/** Rows whose only feature says which slice they are of. */
function rowsOf(slice: 0 | 1, rowCount: number): LabelledRows {
  return {
    rowCount,
    features: new Float64Array(rowCount).fill(slice),
    ownTargets: new Float64Array(rowCount).fill(Number.NaN),
    keyIds: new Int32Array(rowCount),
    labels: new Float64Array(rowCount),
  };
}

const slices = (recent = 400, past = 400): TrialSlices => ({ recent: rowsOf(0, recent), past: rowsOf(1, past) });

/** A gate over versions in memory. */
class Trials {
  readonly versions = new Map<string, Contestant>();
  readonly served: string[] = [];
  readonly decisions: PromotionDecision[] = [];
  state: PromotionState | null = null;
  gate: PromotionGate<Contestant>;
  #number = 0;

  constructor() {
    this.gate = this.restarted();
  }

  /** A gate that goes on from the saved state. */
  restarted(): PromotionGate<Contestant> {
    this.gate = new PromotionGate({
      options,
      state: this.state,
      load: (id) => this.versions.get(id) ?? null,
      floorOf: () => 0,
      serve: ({ id }) => {
        this.served.push(id);
      },
      save: (state) => {
        // As a file would keep it.
        this.state = JSON.parse(JSON.stringify(state)) as PromotionState;
      },
      ids: () => [...this.versions.keys()],
      telemetry: {
        emit: (event) => {
          if (event.type === 'promotionDecided' && event.decision !== null) this.decisions.push(event.decision);
        },
      },
      now: () => 1000 * this.#number,
    });
    return this.gate;
  }

  make({ recent, past }: Spec): Contestant {
    this.#number += 1;
    const number = this.#number;
    const random = new CounterRandom(7);
    const version: Contestant = {
      id: idOf(number),
      step: 10 * number,
      savedAtMs: number,
      losses: ({ features }) =>
        Promise.resolve(features.map((slice, row) => (slice === 0 ? recent : past) * (0.5 + random.uniform(0, row)))),
    };
    this.versions.set(version.id, version);
    return version;
  }

  /** What `cli/` does at a start. */
  async resume(newest: Contestant, rows: TrialSlices | null = slices()): Promise<void> {
    if (this.restarted().resume(newest)) await this.gate.offer(newest, rows);
  }

  /** What is decided about a new version. */
  async offer(spec: Spec, rows: TrialSlices | null = slices()): Promise<string> {
    const version = this.make(spec);
    await this.gate.offer(version, rows);
    return this.gate.decisionOn(version.id)?.action ?? 'none';
  }
}

const refused = (message: RegExp) => (error: PipelineError) =>
  error.code === 'promotion.refused' && message.test(error.message);

suite('PromotionGate', () => {
  test('serves the first version, then those that are not worse, on both kinds of rows', async () => {
    const trials = new Trials();
    assert.equal(trials.gate.facts, null);
    assert.equal(await trials.offer({ recent: 9, past: 9 }, null), 'promoted');
    assert.equal(await trials.offer({ recent: 8, past: 9 }), 'promoted');
    assert.equal(await trials.offer({ recent: 8.3, past: 9 }), 'promoted', 'within the margin');
    assert.equal(await trials.offer({ recent: 9, past: 9 }), 'held');
    assert.equal(await trials.offer({ recent: 8.3, past: 13 }), 'promoted', 'forgets a little');
    assert.equal(await trials.offer({ recent: 4, past: 20 }), 'held', 'forgets more than it may, whatever it gained');
    assert.deepEqual(trials.served, [1, 2, 3, 5].map(idOf));
    const { served, servedSinceMs, previous, newest, heldInARow } = trials.gate.facts!;
    assert.deepEqual([served.id, previous, newest.id, heldInARow], [idOf(5), idOf(3), idOf(6), 1]);
    assert.equal(servedSinceMs, 5000);
    const { message, recent, past, other } = trials.decisions.at(-1)!;
    assert.equal(other, idOf(5));
    assert.equal(message, 'on older rows its loss is 54 % above (54 to 54 %)');
    assert.ok(Math.abs(recent!.change - (4 / 8.3 - 1)) < 1e-9 && Math.abs(past!.atMost - (20 / 13 - 1)) < 1e-9);
  });

  test('holds what it cannot compare: too few rows, predictions that are not finite', async () => {
    const trials = new Trials();
    await trials.offer({ recent: 9, past: 9 });
    assert.equal(await trials.offer({ recent: 1, past: 1 }, slices(99, 0)), 'held');
    assert.match(trials.decisions.at(-1)?.message ?? '', /^fewer than 100 labelled rows/);
    assert.equal(await trials.offer({ recent: 1, past: 1 }, null), 'held');
    assert.equal(await trials.offer({ recent: Infinity, past: 1 }), 'held');
    assert.equal(
      await trials.offer({ recent: 1, past: 1 }, slices(100, 99)),
      'promoted',
      'rows of before may be too few',
    );
  });

  test('goes back to the version before where the served one turns worse, once, and says so of both', async () => {
    const trials = new Trials();
    await trials.offer({ recent: 5, past: 5 });
    await trials.offer({ recent: 5, past: 5 });
    // The stream turns: on what is recent now, the second does worse than the first.
    const first = trials.versions.get(idOf(1))!;
    const losses = first.losses.bind(first);
    Object.assign(first, { losses: async (rows: LabelledRows) => (await losses(rows)).map((loss) => 0.8 * loss) });
    assert.equal(await trials.offer({ recent: 9, past: 9 }), 'held');
    assert.deepEqual(
      trials.decisions.slice(-2).map(({ action, version, other }) => [action, version, other]),
      [
        ['returned', idOf(1), idOf(2)],
        ['held', idOf(3), idOf(1)],
      ],
    );
    assert.equal(trials.gate.decisionOn(idOf(2))?.action, 'returned');
    assert.deepEqual([trials.served.at(-1), trials.gate.facts?.previous], [idOf(1), null]);
    assert.equal(await trials.offer({ recent: 9, past: 9 }), 'held', 'there is nothing more to go back to');
  });

  test('a pin holds whatever comes, says how the others do, and ends with unpin', async () => {
    const trials = new Trials();
    for (let n = 0; n < 3; n += 1) await trials.offer({ recent: 5, past: 5 });
    trials.gate.pin(idOf(1));
    assert.equal(trials.served.at(-1), idOf(1));
    assert.equal(await trials.offer({ recent: 1, past: 1 }), 'held');
    const { message, recent } = trials.decisions.at(-1)!;
    assert.deepEqual([message, Math.round(100 * recent!.change)], [`${idOf(1)} is pinned`, -80]);
    trials.gate.unpin();
    assert.equal(trials.gate.facts?.served.id, idOf(1));
    assert.equal(await trials.offer({ recent: 1, past: 1 }), 'promoted');
    assert.throws(
      () => {
        trials.gate.unpin();
      },
      refused(/no version is pinned/),
    );
    assert.throws(
      () => {
        trials.gate.pin('checkpoint-000000000099');
      },
      refused(/there is no version checkpoint-0+99/),
    );
  });

  test('a pin on the newest serves what the gate holds', async () => {
    const trials = new Trials();
    for (const past of [5, 50, 50]) await trials.offer({ recent: 5, past });
    assert.deepEqual([trials.gate.facts?.served.id, trials.gate.facts?.heldInARow], [idOf(1), 2]);
    trials.gate.pin(idOf(3));
    assert.deepEqual([trials.gate.facts?.served.id, trials.gate.facts?.heldInARow], [idOf(3), 0]);
    trials.gate.unpin();
    assert.equal(await trials.offer({ recent: 5, past: 50 }), 'promoted');
    assert.equal(trials.gate.facts?.servedSinceMs, 4000);
    trials.gate.pin(idOf(4));
    assert.equal(await trials.offer({ recent: 5, past: 50 }), 'held');
    trials.gate.pin(idOf(4));
    assert.equal(trials.gate.facts.servedSinceMs, 4000, 'what is served already is served since then');
  });

  test('a roll-back serves the version before and pins it; there is no second one', async () => {
    const trials = new Trials();
    await trials.offer({ recent: 5, past: 5 });
    assert.throws(
      () => {
        trials.gate.rollBack();
      },
      refused(/no version was served before/),
    );
    await trials.offer({ recent: 4, past: 4 });
    trials.gate.rollBack();
    assert.deepEqual([trials.served.at(-1), trials.gate.facts?.isPinned], [idOf(1), true]);
    assert.equal(trials.gate.decisionOn(idOf(2))?.action, 'rolledBack');
    assert.equal(await trials.offer({ recent: 1, past: 1 }), 'held');
    assert.throws(
      () => {
        trials.gate.rollBack();
      },
      refused(/no version was served before/),
    );
  });

  test('an operator need not wait for the judgement under way, which then minds what was asked for', async () => {
    const trials = new Trials();
    for (let n = 0; n < 2; n += 1) await trials.offer({ recent: 5, past: 5 });
    const judged = trials.gate.offer(trials.make({ recent: 4, past: 4 }), slices());
    trials.gate.pin(idOf(1));
    assert.equal(trials.served.at(-1), idOf(1));
    await judged;
    assert.deepEqual([trials.served.at(-1), trials.decisions.at(-1)?.message], [idOf(1), `${idOf(1)} is pinned`]);
    const version = trials.make({ recent: 4, past: 4 });
    const own = (rows: LabelledRows): Promise<Float64Array> => Promise.resolve(new Float64Array(rows.rowCount));
    const losses: Contestant['losses'] = (rows) => {
      trials.gate.pin(idOf(2));
      trials.gate.unpin();
      return own(rows);
    };
    await trials.gate.offer(Object.assign(version, { losses }), slices());
    assert.equal(trials.decisions.at(-1)?.message, 'another version was served meanwhile');
    assert.equal(trials.served.at(-1), idOf(2));
  });
});

suite('PromotionGate after a restart', () => {
  test('serves what was served, knows the pin and what was decided, and judges nothing twice', async () => {
    const trials = new Trials();
    for (const recent of [5, 4, 9, 9]) await trials.offer({ recent, past: 5 });
    trials.gate.pin(idOf(2));
    const { decisions } = trials;
    const before = decisions.length;
    await trials.resume(trials.versions.get(idOf(4))!);
    assert.equal(decisions.length, before);
    const { served, servedSinceMs, newest, isPinned, heldInARow } = trials.gate.facts!;
    assert.deepEqual([served.id, newest.id, isPinned, heldInARow], [idOf(2), idOf(4), true, 2]);
    assert.equal(servedSinceMs, 2000);
    assert.equal(trials.served.at(-1), idOf(2));
    assert.equal(trials.gate.decisionOn(idOf(3))?.action, 'held');
  });

  test('judges a version that was saved just before the process was killed', async () => {
    const trials = new Trials();
    await trials.offer({ recent: 5, past: 5 });
    const unjudged = trials.make({ recent: 9, past: 5 });
    await trials.resume(unjudged);
    assert.equal(trials.gate.decisionOn(unjudged.id)?.action, 'held');
    assert.equal(trials.served.at(-1), idOf(1));
  });

  test('serves the newest where nothing was decided before', async () => {
    const trials = new Trials();
    await trials.resume(trials.make({ recent: 5, past: 5 }), null);
    assert.deepEqual(trials.served, [idOf(1)]);
  });

  test('goes back where the served version is lost, but never leaves a pin without a word', async () => {
    const trials = new Trials();
    for (const recent of [5, 4, 9]) await trials.offer({ recent, past: 5 });
    trials.versions.delete(idOf(2));
    const newest = trials.versions.get(idOf(3))!;
    await trials.resume(newest);
    assert.equal(trials.served.at(-1), idOf(1));
    assert.match(trials.decisions.at(-1)?.message ?? '', /which was served, is gone or damaged/);

    trials.gate.pin(idOf(1));
    trials.versions.delete(idOf(1));
    assert.throws(() => trials.restarted().resume(newest), refused(/pinned version .* is gone or damaged/));
    trials.restarted().unpin();
    await trials.resume(newest);
    assert.equal(trials.served.at(-1), idOf(3));
  });

  test('keeps decisions about versions that are still there, and no others', async () => {
    const trials = new Trials();
    for (let n = 0; n < 6; n += 1) {
      await trials.offer({ recent: 5, past: 5 });
      if (n >= 3) trials.versions.delete(idOf(n - 2));
    }
    assert.deepEqual(Object.keys(trials.state?.decisions ?? {}), [2, 3, 4, 5, 6].map(idOf).slice(-4));
  });
});
