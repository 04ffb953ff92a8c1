import { test } from 'node:test';
import { missingNative } from '../../src/trainer/native-build.ts';
import type { BackendName } from '../../src/trainer/trainer.ts';

const native = missingNative();

/** The engines that this machine can test; a missing native build skips its tests with the reason printed. */
export const engines: readonly BackendName[] = native === null ? ['tensorflow', 'wasm', 'cpu'] : ['wasm', 'cpu'];

if (native !== null) test('the tensorflow backend', { skip: native });
