import { promotionActions } from '../records.ts';

/** Which version is served, and how far it is behind; a part of the metrics of `definitions.ts`. */
export const promotionMetrics = [
  {
    name: 'millrace_promotion_decisions_total',
    type: 'counter',
    unit: 'times',
    help: 'Decisions about which version is served, by what was done.',
    labels: { action: promotionActions },
  },
  {
    name: 'millrace_served_version',
    type: 'gauge',
    unit: 'none',
    help: 'Number of the checkpoint that is served.',
  },
  {
    name: 'millrace_newest_version',
    type: 'gauge',
    unit: 'none',
    help: 'Number of the newest checkpoint: more than the served one while newer versions are held back.',
  },
  {
    name: 'millrace_served_version_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the checkpoint that is served was saved.',
  },
  {
    name: 'millrace_newest_version_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the newest checkpoint was saved.',
  },
  {
    name: 'millrace_versions_held_in_a_row',
    type: 'gauge',
    unit: 'times',
    help: 'Versions that were held back since the last one that was served.',
  },
  {
    name: 'millrace_served_version_pinned',
    type: 'gauge',
    unit: 'none',
    help: '1 while an operator has pinned the version that is served.',
  },
  {
    name: 'millrace_candidate_loss_change_ratio',
    type: 'gauge',
    unit: 'score',
    help: 'By what fraction the loss of the version judged last lies above that of the version it was compared with: the median over blocks of rows and its confidence bounds.',
    labels: { rows: ['recent', 'past'], bound: ['lower', 'median', 'upper'] },
  },
] as const;
