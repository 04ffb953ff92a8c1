/** The job of the bench with one thing made larger or smaller. */
export interface ScaledJob {
  readonly subject: string;
  readonly features: number;
  readonly batchRows: number;
  readonly hidden: readonly number[];
  /** Of the topic in Kafka; null reads the embedded log. */
  readonly partitions: number | null;
  /** Learned rows that make a run: about half a second's worth. */
  readonly segmentRows: number;
}

const usual = { features: 8, batchRows: 1024, hidden: [64, 64], partitions: null };

/** Numbers of partitions that topics in Kafka are made with. */
export const partitionCounts = [1, 8, 64];

/** All points of the curves. */
export const scaling: readonly ScaledJob[] = [
  ...Object.entries({ 8: 200_000, 32: 100_000, 128: 40_000, 512: 12_000 }).map(([features, segmentRows]) => ({
    ...usual,
    subject: `scaling.features.${features}`,
    features: Number(features),
    segmentRows,
  })),
  ...partitionCounts.map((partitions) => ({
    ...usual,
    subject: `scaling.partitions.${partitions}`,
    partitions,
    segmentRows: 100_000,
  })),
  ...Object.entries({ 32: 30_000, 256: 150_000, 1024: 200_000, 8192: 300_000 }).map(([batchRows, segmentRows]) => ({
    ...usual,
    subject: `scaling.batch.${batchRows}`,
    batchRows: Number(batchRows),
    segmentRows,
  })),
  ...Object.entries({ 16: 250_000, 64: 200_000, 256: 60_000, 1024: 5_000 }).map(([units, segmentRows]) => ({
    ...usual,
    subject: `scaling.model.${units}`,
    hidden: [Number(units), Number(units)],
    segmentRows,
  })),
];
