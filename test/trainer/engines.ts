import { test } from 'node:test';
import { backendNames, useBackend } from '../../src/trainer/backends.ts';
import { messageOf } from '../../src/errors.ts';
import type { BackendName } from '../../src/trainer/trainer.ts';
import { skipped } from '../support/requirements.ts';

/** The engines that this machine can test, the plainest last; of the others the reason is printed as that of a skipped test. */
export const engines: readonly BackendName[] = await enginesHere();

async function enginesHere(): Promise<readonly BackendName[]> {
  const here: BackendName[] = [];
  for (const name of backendNames) {
    try {
      await useBackend(name);
      here.push(name);
    } catch (error) {
      test(`the ${name} backend`, { skip: skipped(messageOf(error)) });
    }
  }
  return here;
}
