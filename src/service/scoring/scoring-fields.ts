import type { FeatureRows } from '../../operators/feature-state.ts';
import type { DecodedColumns, FieldPlan } from '../../records.ts';
import type { RecordField } from '../../serving/predictor.ts';
import { maxBlockRecords } from '../../sources/source.ts';

/** The fields that a record must have to be predicted: those of `POST /v1/predict`, and the event time. */
export class ScoringFields {
  readonly plan: FieldPlan;
  readonly #whole: FieldPlan;

  /** `whole`: what learning reads, labels and lags among it. */
  constructor(whole: FieldPlan, asked: readonly RecordField[]) {
    const isAsked = (field: string): boolean => asked.some(({ name }) => name === field);
    this.#whole = whole;
    this.plan = { numbers: whole.numbers.filter(isAsked), texts: whole.texts.filter(isAsked), times: whole.times };
  }

  /** Columns in the order of the whole plan; those that were not read are missing in every row. */
  widened({ numbers, texts }: DecodedColumns): FeatureRows {
    return {
      numbers: this.#whole.numbers.map((name) => numbers[this.plan.numbers.indexOf(name)] ?? noNumbers),
      texts: this.#whole.texts.map((name) => texts[this.plan.texts.indexOf(name)] ?? noTexts),
    };
  }
}

const noNumbers = new Float64Array(maxBlockRecords).fill(Number.NaN);
const noTexts: readonly null[] = new Array<null>(maxBlockRecords).fill(null);
