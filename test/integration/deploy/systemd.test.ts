import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, temporaryDirectory } from '../../support/command.ts';
import { missing } from '../../support/requirements.ts';
import { toolOutput } from '../../support/watchers.ts';

test('systemd takes the unit, and finds little that it may do', { skip: missing('systemd-analyze') ?? false }, (t) => {
  const unit = readFileSync(join(projectRoot, 'deploy/systemd/millrace.service'), 'utf8');
  const file = join(temporaryDirectory(t), 'millrace.service');
  // Millrace is not installed on this machine.
  writeFileSync(file, unit.replace('ExecStart=millrace', `ExecStart=${process.execPath}`));
  toolOutput('systemd-analyze', ['verify', '--recursive-errors=no', file]);
  // Exposure in tenths: 0 is a service that may do nothing, 100 one that may do everything.
  toolOutput('systemd-analyze', ['security', '--offline=true', '--threshold=15', file]);
});
