import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { listCheckpoints, type StoredCheckpoint } from '../checkpoint/checkpoint-store.ts';
import { CheckpointError } from '../errors.ts';
import { partitionName } from '../records.ts';
import { printJson, printLine } from './command-output.ts';

/** `millrace inspect DIR` */
export function defineInspect(command: Command): void {
  command
    .argument('<dir>', 'the state directory (checkpoint.dir)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nEnds with 1 where a checkpoint is damaged.\n\nExample:\n  millrace inspect ./state')
    .action((dir: string, { json }: { json?: true }) => {
      if (!existsSync(dir)) {
        throw new CheckpointError(
          'checkpoint.damaged',
          `${dir}: there is no such state directory. Check checkpoint.dir.`,
        );
      }
      const { checkpoints, pointer } = listCheckpoints(dir);
      if (json) printJson({ checkpoints: checkpoints.map(toDocument), pointer });
      else printTable(dir, checkpoints, pointer);
      if (checkpoints.some(({ isIntact }) => !isIntact)) process.exitCode = 1;
    });
}

function toDocument({ id, manifest, isIntact, problem }: StoredCheckpoint): Record<string, unknown> {
  if (manifest === null) return { id, intact: false, problem };
  const { step, createdAt, positions, records, ledger, weightsDigest, backend, models, baseline } = manifest;
  return {
    id,
    step,
    createdAt,
    positions: Object.fromEntries(positions.map((position) => [partitionName(position), position.nextOffset])),
    records,
    ledger,
    weightsDigest,
    backend,
    models,
    baseline,
    intact: isIntact,
    ...(isIntact ? {} : { problem }),
  };
}

function printTable(dir: string, checkpoints: readonly StoredCheckpoint[], pointer: string | null): void {
  if (checkpoints.length === 0) {
    printLine(`${dir} holds no checkpoint yet.`);
    return;
  }
  for (const { id, manifest, isIntact, problem } of checkpoints) {
    printLine(`${id}${id === pointer ? ' (latest)' : ''}: ${isIntact ? 'intact' : `DAMAGED: ${problem}`}`);
    if (manifest === null) continue;
    const { read, trained, rejected, filtered, unlabelled, pending } = manifest.records;
    printLine(`  ${manifest.createdAt}, step ${manifest.step}, ${manifest.backend}, weights ${manifest.weightsDigest}`);
    printLine(
      `  read ${read} = trained ${trained} + rejected ${rejected} + filtered ${filtered} + unlabelled ${unlabelled} + pending ${pending}`,
    );
    for (const position of manifest.positions) {
      const name = partitionName(position);
      const entry = manifest.ledger[name];
      const learned = entry === undefined ? 'none trained' : `${entry.count} trained, hash ${entry.hash}`;
      printLine(`  ${name}: next offset ${position.nextOffset}, ${learned}`);
    }
  }
}
