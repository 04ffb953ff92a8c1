import type {
  FilterReason,
  PartitionProgress,
  PromotionDecision,
  RejectReason,
  ServingFacts,
  StepReport,
} from './records.ts';

/** What happened, told once per block or batch by the part it happened in. Names are noun + past verb. */
export type TelemetryEvent =
  | {
      readonly type: 'recordsRead';
      readonly topic: string;
      readonly partition: number;
      readonly records: number;
      readonly bytes: number;
      readonly nextOffset: number;
      readonly endOffset: number;
      readonly newestTimestampMs: number;
    }
  /** On the way to the trainer; what the trainer itself rejects is told by its report. */
  | { readonly type: 'recordsRejected'; readonly reason: RejectReason; readonly records: number }
  | { readonly type: 'recordsFiltered'; readonly reason: FilterReason; readonly records: number }
  | { readonly type: 'valuesMissed'; readonly field: string; readonly values: number }
  | { readonly type: 'keysEvicted'; readonly keys: number }
  | { readonly type: 'blockDecoded'; readonly rows: number; readonly seconds: number }
  | { readonly type: 'blockDerived'; readonly rows: number; readonly seconds: number }
  | { readonly type: 'blockNormalized'; readonly rows: number; readonly seconds: number }
  | { readonly type: 'batchSealed'; readonly rows: number; readonly cause: 'rows' | 'delay' | 'end' }
  | { readonly type: 'batchObserved'; readonly report: StepReport }
  | {
      readonly type: 'checkpointSaved';
      readonly id: string;
      readonly step: number;
      readonly seconds: number;
      /** Of these, since the trainer gave its snapshot: nothing is learned meanwhile. */
      readonly pauseSeconds: number;
      readonly bytes: number;
    }
  | { readonly type: 'checkpointFailed'; readonly message: string }
  | { readonly type: 'checkpointDamaged'; readonly id: string; readonly message: string }
  /** Which version is served was decided, or, with null, found at the start. */
  | {
      readonly type: 'promotionDecided';
      readonly decision: PromotionDecision | null;
      readonly serving: ServingFacts;
    }
  /** A model learns, but slower than it could; told once, at the start. */
  | { readonly type: 'modelDegraded'; readonly message: string }
  | { readonly type: 'sourceJoined' }
  /** The source cannot read now and tries again; `sourceJoined` ends it. */
  | { readonly type: 'sourceInterrupted'; readonly message: string }
  /** The source works, but not as well as it could; told once. */
  | { readonly type: 'sourceDegraded'; readonly message: string }
  | {
      readonly type: 'offsetsSkipped';
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: 'endOffsetSeen'; readonly topic: string; readonly partition: number; readonly endOffset: number }
  | { readonly type: 'registryRetried'; readonly message: string }
  /** Predictions to a topic are to begin, and for what they wait. */
  | { readonly type: 'predictionsAwaited'; readonly message: string }
  /** Predictions to a topic flow, or flow again. */
  | { readonly type: 'predictionsJoined' }
  /** They cannot be read, made or written now, which is tried again; `predictionsJoined` ends it. */
  | { readonly type: 'predictionsInterrupted'; readonly message: string }
  /** A transaction is committed. */
  | {
      readonly type: 'predictionsWritten';
      readonly predictions: number;
      readonly rejected: ReadonlyMap<RejectReason, number>;
      /** From the first record's turn to the commit. */
      readonly seconds: number;
      readonly partitions: readonly PartitionProgress[];
    }
  /** Where predictions of a partition go on, or where it ends; -1 says nothing. */
  | ({ readonly type: 'predictionPartitionSeen' } & PartitionProgress)
  /** As `offsetsSkipped`, of records that are not predicted. */
  | {
      readonly type: 'predictionOffsetsSkipped';
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly to: number;
    };

/** Where parts report to. Implementations are cheap and never throw. */
export interface Telemetry {
  /** Called in the part's own turn. */
  emit(event: TelemetryEvent): void;
}

/** Says nothing: for tools and tests that do not look. */
export const silentTelemetry: Telemetry = { emit: () => undefined };

/** Tells each event to all of them, in order. */
export function tellAll(listeners: readonly Telemetry[]): Telemetry {
  return {
    emit: (event) => {
      for (const listener of listeners) listener.emit(event);
    },
  };
}
