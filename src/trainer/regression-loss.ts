/** A loss of the configuration, with all its options. */
export type LossOptions = { readonly kind: 'mse' | 'mae' } | { readonly kind: 'huber'; readonly delta: number };

/** What an error costs: an output less its label, in standard units of the target. */
export interface RegressionLoss {
  readonly cost: (error: number) => number;
  /** Of the cost. */
  readonly slope: (error: number) => number;
}

export function regressionLoss(options: LossOptions): RegressionLoss {
  switch (options.kind) {
    case 'mse':
      return { cost: (error) => error * error, slope: (error) => 2 * error };
    case 'mae':
      return { cost: Math.abs, slope: Math.sign };
    case 'huber':
      return huber(options.delta);
  }
}

/** Huber (1964): half the square up to `delta`, and a line from there on. */
function huber(delta: number): RegressionLoss {
  const slope = (error: number): number => Math.max(-delta, Math.min(delta, error));
  return { cost: (error) => slope(error) * (error - slope(error) / 2), slope };
}
