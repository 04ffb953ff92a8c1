import type { Manifest } from '../checkpoint/manifest.ts';
import type { CheckpointStatus } from '../serving/status.ts';

/** What the page shows of checkpoints that earlier runs have left. */
export function savedCheckpoints(manifests: readonly Manifest[], served: string): readonly CheckpointStatus[] {
  return manifests.map(({ id, step, createdAt, files, models }) => {
    const report = models[served];
    const leading = report !== undefined && 'accuracy' in report.metrics ? 'accuracy' : 'mae';
    return {
      ...{ id, step, atMs: Date.parse(createdAt), seconds: null },
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      score: report?.recent[leading] ?? report?.metrics[leading] ?? null,
    };
  });
}
