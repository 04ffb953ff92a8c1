/** Runs `work` as on a machine where nobody has run `npm run native`. */
export async function withoutNativeBuild(work: () => Promise<void>): Promise<void> {
  const before = process.env['MILLRACE_CACHE'];
  process.env['MILLRACE_CACHE'] = '/nonexistent';
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env['MILLRACE_CACHE'];
    else process.env['MILLRACE_CACHE'] = before;
  }
}
