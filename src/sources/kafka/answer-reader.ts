/** An answer takes no more than this before its bytes arrive; a size from something else than a broker may claim 2 GiB. */
const firstBytes = 4 << 20;
const sizeBytes = 4;

/**
 * Puts a broker's answers together, each in one buffer that the socket fills: 4 bytes of size, big-endian, then so many. Read as
 * chunks, an answer of a megabyte is allocated and copied twice, which was about a tenth of what fetching uncompressed records costs.
 */
export class AnswerReader {
  readonly #onAnswer: (answer: Buffer) => void;
  #answer = Buffer.allocUnsafe(sizeBytes);
  #filled = 0;
  /** Of the whole answer, once its size is read. */
  #wanted = sizeBytes;
  #isSizeRead = false;

  /** `onAnswer` gets each answer whole, size included, and owns it. */
  constructor(onAnswer: (answer: Buffer) => void) {
    this.#onAnswer = onAnswer;
  }

  /** Where the next bytes go; never empty. */
  room(): Buffer {
    return this.#answer.subarray(this.#filled);
  }

  /**
   * So many bytes were put into `room()`.
   * @throws RangeError where a size is negative: no broker is at the other end.
   */
  took(count: number): void {
    this.#filled += count;
    if (!this.#isSizeRead && this.#filled === sizeBytes) this.#readSize();
    if (this.#isSizeRead && this.#filled === this.#wanted) this.#give();
    else if (this.#filled === this.#answer.length) this.#grow(2 * this.#answer.length);
  }

  #readSize(): void {
    const size = this.#answer.readInt32BE(0);
    if (size < 0) throw new RangeError(`an answer of ${size} bytes: what answers is not a Kafka broker`);
    this.#isSizeRead = true;
    this.#wanted = sizeBytes + size;
    this.#grow(firstBytes);
  }

  #give(): void {
    const answer = this.#answer;
    this.#answer = Buffer.allocUnsafe(sizeBytes);
    this.#filled = 0;
    this.#wanted = sizeBytes;
    this.#isSizeRead = false;
    this.#onAnswer(answer);
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#wanted, bytes));
    this.#answer.copy(larger, 0, 0, this.#filled);
    this.#answer = larger;
  }
}
