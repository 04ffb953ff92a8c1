import { listManifests, openCheckpoints } from '../../checkpoint/checkpoint-store.ts';
import type { Config } from '../../config/config.ts';
import { PromotionGate, type Contestant } from '../../promotion/gate.ts';
import { readPromotion, writePromotion } from '../../promotion/promotion-file.ts';
import type { VersionControl, VersionList } from '../../serving/version-control.ts';
import { silentTelemetry as telemetry } from '../../telemetry.ts';
import { versionList } from './version-list.ts';

/**
 * The versions of a state directory that no process uses; the next start serves what is decided here.
 * @throws CheckpointError `checkpoint.locked` where a process uses it.
 */
export function storedVersions(config: Config): VersionControl & { close(): void } {
  const { dir, keep } = config.checkpoint;
  const store = openCheckpoints(dir, { keep });
  const load = (id: string): Contestant | null => {
    const manifest = store.read(id)?.manifest;
    if (manifest === undefined) return null;
    const { step, createdAt } = manifest;
    return { id, step, savedAtMs: Date.parse(createdAt), losses: () => Promise.resolve(none) };
  };
  const act = async (ask: (gate: PromotionGate<Contestant>) => void): Promise<VersionList> => {
    let saving = Promise.resolve();
    const gate = new PromotionGate({
      options: config.promotion,
      state: readPromotion(dir),
      load,
      floorOf: () => 0,
      serve: () => undefined,
      save: (state) => {
        saving = writePromotion(dir, state);
      },
      ids: () => listManifests(dir).map(({ id }) => id),
      telemetry,
      now: () => Date.now(),
    });
    ask(gate);
    await saving;
    return list();
  };
  const list = (): VersionList => versionList(dir, config.serve, readPromotion(dir));
  return {
    list,
    pin: (version) =>
      act((gate) => {
        gate.pin(version);
      }),
    unpin: () =>
      act((gate) => {
        gate.unpin();
      }),
    rollBack: () =>
      act((gate) => {
        gate.rollBack();
      }),
    close: () => {
      store.close();
    },
  };
}

const none = new Float64Array(0);
