import { workerTrainer } from '../../src/trainer/worker-trainer.ts';
import { trainerContract } from '../contracts/trainer-contract.ts';

// The kinds of models do not depend on the thread; one that uses everything will do.
trainerContract('workerTrainer', workerTrainer, (kind) => kind === 'mlp, Adam, horizon, change');
