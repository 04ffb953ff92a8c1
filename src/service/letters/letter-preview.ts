import type { RowCodec } from '../../codecs/row-codec.ts';
import { featureColumns, type FeaturePlan } from '../../operators/feature-plan.ts';
import type { RecordBlock, RejectedRow } from '../../records.ts';
import { previewOf, shortened } from '../../serving/preview.ts';
import { mask, maskedJson } from './masked.ts';

/** A dead letter for human eyes, without a value of a sensitive field. */
export interface LetterText {
  readonly preview: string;
  /** What was wrong, where that can be told. */
  readonly detail: string;
}

/** Shows bad records: decoded where their bytes allow it, as they are where not, unless that might show what is sensitive. */
export class LetterPreview {
  readonly #hidden: ReadonlySet<string>;
  #codec: Pick<RowCodec, 'recordAt'> | null = null;
  #plan: FeaturePlan | null = null;

  constructor(sensitiveFields: ReadonlySet<string>) {
    this.#hidden = sensitiveFields;
  }

  /** Called when the pipeline stands; until then records are shown as they are not decoded. */
  use(codec: Pick<RowCodec, 'recordAt'>, plan: FeaturePlan): void {
    this.#codec = codec;
    this.#plan = plan;
  }

  record(block: RecordBlock, recordIndex: number, detail: string): LetterText {
    const record = this.#codec?.recordAt(block, recordIndex) ?? null;
    const isHidingAny = this.#hidden.size > 0;
    if (record !== null)
      return { preview: shortened(maskedJson(record, this.#hidden)), detail: this.#maskedDetail(detail) };
    const [start, length] = [block.valueStarts[recordIndex]!, block.valueLengths[recordIndex]!];
    const value = length < 0 ? null : block.bytes.subarray(start, start + length);
    if (!isHidingAny || value === null || length === 0) return { preview: previewOf(value), detail };
    return {
      preview: `${length} bytes, withheld: not decodable, and some fields are sensitive`,
      detail: '',
    };
  }

  /** A row that the trainer refused: its features as the trainer saw them. */
  row({ target, features, timeMs }: RejectedRow, key: string | null): LetterText {
    const specs = this.#plan?.features ?? [];
    const fields = new Map(specs.map(({ name, field }) => [name, field]));
    const shown = (field: string | null | undefined, value: unknown): unknown =>
      this.#hidden.has(field ?? '') ? mask : value;
    const normalized = featureColumns(specs).map(
      ({ name, feature }, column) => [name, shown(fields.get(feature), features[column])] as const,
    );
    const row = {
      time: new Date(timeMs).toISOString(),
      key: shown(this.#plan?.key, key),
      target: shown(this.#plan?.target.field, target),
      normalized: Object.fromEntries(normalized),
    };
    return { preview: shortened(JSON.stringify(row)), detail: 'the loss or the gradient of this row is not finite' };
  }

  /** Codecs say `field: value`. */
  #maskedDetail(detail: string): string {
    const field = [...this.#hidden].find((name) => detail.startsWith(`${name}: `));
    return field === undefined ? detail : `${field}: ${mask}`;
  }
}
