/** A step cannot be made a graph; the message says why. Run it eagerly instead. */
export class NotRecordable extends Error {
  override readonly name = 'NotRecordable';
}
