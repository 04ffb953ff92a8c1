import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { MillraceError, millraceClient, type MillraceClient } from '../client.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { CheckpointError, messageOf, PromotionError } from '../errors.ts';
import { readPromotion } from '../promotion/promotion-file.ts';
import { displayHost } from '../serving/display-host.ts';
import type { VersionControl, VersionList } from '../serving/version-control.ts';
import { printJson, printLine } from './command-output.ts';
import { storedVersions } from '../service/versions/stored-versions.ts';
import { metricsText } from '../service/summary.ts';
import { versionList } from '../service/versions/version-list.ts';

interface ModelsOptions {
  readonly json?: true;
  readonly url?: string;
}

/** What changes which version is served, here or in a running process. */
type Change = (versions: Omit<VersionControl, 'list'> | MillraceClient) => Promise<VersionList>;

/** `millrace models CONFIG`, `millrace models pin CONFIG VERSION` and so on. */
export function defineModels(command: Command): void {
  command.addHelpText(
    'after',
    `
A running pipeline is asked over HTTP, with the token of http.tokenFile; the state of one that is stopped is changed in place.
With --json each prints the list of versions that it leaves as one JSON document.

Example:
  millrace models examples/weather/weather.yaml
  millrace models pin examples/weather/weather.yaml checkpoint-000000000003
  millrace models rollback examples/weather/weather.yaml`,
  );
  const define = (name: string, description: string, isDefault = false): Command =>
    command
      .command(name, { isDefault })
      .description(description)
      .argument('<config>', 'the configuration file of the pipeline')
      .option('--url <url>', 'where the pipeline runs (default: where the configuration says)')
      .option('--json', 'one JSON document on stdout');
  define('list', 'list the versions that are kept, what became of each, and which is served', true).action(
    async (file: string, options: ModelsOptions) => {
      print(await listed(loadConfig(file).config, options), options);
    },
  );
  define('pin', 'serve one version until it is unpinned')
    .argument('<version>', 'its id, such as checkpoint-000000000003')
    .action(async (file: string, version: string, options: ModelsOptions) => {
      print(await changed(loadConfig(file).config, options, (versions) => versions.pin(version)), options);
    });
  define('unpin', 'let newer versions replace the pinned one again').action(
    async (file: string, options: ModelsOptions) => {
      print(await changed(loadConfig(file).config, options, (versions) => versions.unpin()), options);
    },
  );
  define('rollback', 'serve the version before the served one until it is unpinned').action(
    async (file: string, options: ModelsOptions) => {
      print(await changed(loadConfig(file).config, options, (versions) => versions.rollBack()), options);
    },
  );
}

/** From the state directory, which may be looked at while a process uses it, or from where `--url` says. */
async function listed(config: Config, { url }: ModelsOptions): Promise<VersionList> {
  if (url !== undefined) return asked(url, config, (client) => client.versions());
  const { dir } = config.checkpoint;
  return versionList(dir, config.serve, readPromotion(dir));
}

async function changed(config: Config, { url }: ModelsOptions, change: Change): Promise<VersionList> {
  if (url !== undefined) return asked(url, config, change);
  const { dir } = config.checkpoint;
  if (!existsSync(dir))
    throw new CheckpointError('checkpoint.damaged', `${dir}: there is no such state directory. Check checkpoint.dir.`);
  let stored: ReturnType<typeof storedVersions>;
  try {
    stored = storedVersions(config);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'checkpoint.locked') throw error;
    const { host, port } = config.http;
    return asked(`http://${displayHost(host)}:${port}`, config, change);
  }
  try {
    return await change(stored);
  } finally {
    stored.close();
  }
}

/** @throws PromotionError that says what the pipeline said, or that it cannot be reached. */
async function asked(
  url: string,
  config: Config,
  ask: (client: MillraceClient) => Promise<VersionList>,
): Promise<VersionList> {
  try {
    return await ask(millraceClient({ url, token: config.http.token ?? null }));
  } catch (error) {
    const reason =
      error instanceof MillraceError ? error.message : `cannot be reached (${messageOf(error)}); say where with --url`;
    throw new PromotionError('promotion.refused', `${url}: ${reason}`, { cause: error });
  }
}

function print(list: VersionList, { json }: ModelsOptions): void {
  if (json) {
    printJson(list);
    return;
  }
  if (list.versions.length === 0) printLine('There is no version yet; the first is that of the first checkpoint.');
  for (const { id, step, savedAt, scores, isServed, isPinned, decision } of list.versions) {
    const marks = [
      ...(isServed ? ['served'] : []),
      ...(isPinned ? ['pinned'] : []),
      ...(id === list.previous ? ['previous'] : []),
    ];
    const mark = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
    printLine(`${id}${mark}: step ${step}, saved ${savedAt}, ${metricsText(scores)}`);
    if (decision !== null) printLine(`  ${decision.action}: ${decision.message}`);
  }
  if (list.heldInARow > 0) printLine(`${list.heldInARow} held back since the last one that was promoted.`);
}
