/**
 * Calls `stop` at the first SIGTERM or SIGINT; after `shutdownTimeoutMs`, or at a second signal, the process exits with 1.
 * @returns a promise that resolves at the first signal.
 */
export function onStopSignal(shutdownTimeoutMs: number, stop: () => void): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (): void => {
      if (isStopping) process.exit(1);
      isStopping = true;
      setTimeout(() => {
        process.stderr.write(`millrace: not stopped within shutdownTimeout (${shutdownTimeoutMs} ms); exiting\n`);
        process.exit(1);
      }, shutdownTimeoutMs).unref();
      stop();
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
