/** The address to open in a browser: a wildcard is no place to go to, and IPv6 stands in brackets. */
export function displayHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
