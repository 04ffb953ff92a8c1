// Numbers as people read them.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const signed = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2, signDisplay: 'exceptZero' });

export const count = (value) => whole.format(value);

/** Rows a second; from a million on in millions, since no more digits than that stand still. */
export const rate = (value) => (value < 1e6 ? count(value) : `${(value / 1e6).toFixed(2)} M`);

/** A score with the same number of digits whatever they are, so that columns of them line up. */
export function score(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  const digits = Math.abs(value) < 1 ? 3 : 4;
  const fraction = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(fraction, 8));
}

/** A number of an axis: as short as it can be. */
export const tick = (value) => value.toLocaleString('en-US', { maximumSignificantDigits: 4 });

export function duration(seconds) {
  if (seconds === null) return '–';
  if (seconds > 0 && seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172_800) return `${whole.format(seconds / 3600)} h`;
  return `${whole.format(seconds / 86_400)} d`;
}

export function bytes(value) {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${(value / 1024).toFixed(1)} KiB`;
  return `${(value / 1024 ** 2).toFixed(1)} MiB`;
}

/** A share of 0 to 1 in whole percent, or `< 1 %`. */
export function percent(value) {
  return value > 0 && value < 0.01 ? '< 1 %' : `${Math.round(value * 100)} %`;
}

/** A share with one digit after the point where that matters; none is a dash. */
export function share(value) {
  if (value === null) return '–';
  return value === 0 ? '0 %' : `${(value * 100).toFixed(1)} %`;
}

/** A signed fraction as percent without their sign, with the two digits that matter: `+12`. */
export const change = (fraction) => (fraction > 100 ? '> +9,999' : signed.format(100 * fraction));

/** `checkpoint-000000000042` → `42`. */
export const shortId = (id) => id.replace(/^checkpoint-0*/, '');

/** A moment as day and time where people read it, or as its time alone where it is of today. */
export function dayAndClock(ms) {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock(ms) : `${date.toLocaleDateString('sv-SE')} ${clock(ms).slice(0, 5)}`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');

const metricNames = {
  mae: 'mean absolute error',
  rmse: 'root mean squared error',
  r2: 'R²',
  accuracy: 'accuracy',
  logLoss: 'log loss',
  macroF1: 'macro F1',
  kappa: 'kappa',
};
const shortNames = {
  mae: 'MAE',
  rmse: 'RMSE',
  r2: 'R²',
  accuracy: 'accuracy',
  logLoss: 'log loss',
  macroF1: 'macro F1',
};

export const metricName = (metric) => metricNames[metric] ?? metric;
export const shortName = (metric) => shortNames[metric] ?? metric;

const baselines = { lastValue: 'last value', mean: 'the mean', majority: 'the majority class' };
export const baselineName = (kind) => baselines[kind] ?? kind;
