import { assemble, type Assembly } from '../src/service/assembly.ts';
import type { Config } from '../src/config/config.ts';
import type { Telemetry } from '../src/telemetry.ts';
import { workerTrainer } from '../src/trainer/worker-trainer.ts';
import { refuseRejects } from './blocks.ts';

/** The parts of the chain of `run` from its beginning, with a trainer in its worker. */
export function assembleJob(config: Config, isBounded: boolean, telemetry: Telemetry): Promise<Assembly> {
  return assemble({
    config,
    isBounded,
    restored: null,
    wantsPredictions: false,
    telemetry,
    onReject: refuseRejects,
    makeTrainer: workerTrainer,
  });
}
