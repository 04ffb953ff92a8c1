import { inlineTrainer } from '../../src/trainer/inline-trainer.ts';
import { trainerContract } from '../contracts/trainer-contract.ts';
import { engines } from './engines.ts';

for (const engine of engines) {
  // Only nets depend on the engine; the slowest runs everything.
  const nets = engine === 'webgpu' ? /^mlp/ : /^(mlp|layers)/;
  const wanted = (kind: string): boolean => engine === 'cpu' || nets.test(kind);
  trainerContract(`inlineTrainer, ${engine}`, inlineTrainer, wanted, engine);
}
