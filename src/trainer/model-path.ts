/** Where a model's state lies in a snapshot. */
export function modelPath(name: string): string {
  return `models.${name}`;
}
