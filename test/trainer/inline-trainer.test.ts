import { inlineTrainer } from '../../src/trainer/inline-trainer.ts';
import { trainerContract } from '../contracts/trainer-contract.ts';

trainerContract('inlineTrainer', inlineTrainer);
