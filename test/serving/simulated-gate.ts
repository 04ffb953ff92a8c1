import type {
  LossComparison,
  PromotionAction,
  PromotionDecision,
  ServingFacts,
  VersionFacts,
} from '../../src/records.ts';
import type { Telemetry } from '../../src/telemetry.ts';

const compared = (rows: number, change: number): LossComparison => ({
  ...{ rows, loss: 1 + change, otherLoss: 1 },
  ...{ change, atLeast: change - 0.04, atMost: change + 0.08 },
});

/** Tells what a gate would, without comparing anything. */
export class SimulatedGate {
  readonly #telemetry: Telemetry;
  readonly #now: () => number;
  #facts: ServingFacts | null = null;

  constructor(telemetry: Telemetry, now: () => number) {
    this.#telemetry = telemetry;
    this.#now = now;
  }

  /** A version comes that is worse by 12 % on recent rows and 13 times on older ones, or better by 3 % and 1 %. */
  offer(newest: VersionFacts, isWorse: boolean): void {
    const served = this.#facts;
    if (served === null) {
      this.#serve(newest);
      this.#tell('promoted', newest.id, null, { message: 'it is the first' });
      return;
    }
    const [recent, past] = isWorse ? [0.12, 13] : [-0.03, -0.01];
    const losses = { recent: compared(1000, recent), past: compared(1000, past) };
    if (!isWorse && !served.isPinned) {
      this.#serve(newest);
      const message = 'on recent rows its loss is 3 % below (-5 to 7 %)';
      this.#tell('promoted', newest.id, served.served.id, { message, ...losses });
      return;
    }
    this.#facts = { ...served, newest, heldInARow: served.heldInARow + 1 };
    const worse =
      'on recent rows its loss is 12 % above (8 to 20 %), on older rows its loss is 1300 % above (1300 to 1300 %)';
    const message = served.isPinned ? `${served.served.id} is pinned` : worse;
    this.#tell('held', newest.id, served.served.id, { message, ...losses });
  }

  /** An operator pins what is served. */
  pin(): void {
    if (this.#facts === null) throw new Error('nothing is served yet');
    this.#facts = { ...this.#facts, isPinned: true };
    const { id } = this.#facts.served;
    this.#tell('pinned', id, id, { message: 'an operator pinned it' });
  }

  #serve(served: VersionFacts): void {
    const previous = this.#facts?.served.id ?? null;
    const pin = { isPinned: false, heldInARow: 0 };
    this.#facts = { served, servedSinceMs: this.#now(), previous, newest: served, ...pin };
  }

  #tell(
    action: PromotionAction,
    version: string,
    other: string | null,
    details: Pick<PromotionDecision, 'message'> & Partial<PromotionDecision>,
  ): void {
    const decision = { action, version, other, recent: null, past: null, atMs: this.#now(), ...details };
    if (this.#facts !== null) this.#telemetry.emit({ type: 'promotionDecided', decision, serving: this.#facts });
  }
}
