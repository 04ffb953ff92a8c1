import type client from 'prom-client';

/** Requests by route and status since the last scrape, in plain numbers: a counter with labels costs microseconds a call. */
export class RequestCounts {
  readonly #byRoute = new Map<string, Map<number, number>>();

  add(route: string, status: number): void {
    let byStatus = this.#byRoute.get(route);
    if (byStatus === undefined) this.#byRoute.set(route, (byStatus = new Map<number, number>()));
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }

  /** Adds them to the counter and begins anew. */
  moveTo(counter: client.Counter<'route' | 'status'>): void {
    for (const [route, byStatus] of this.#byRoute) {
      for (const [status, requests] of byStatus) counter.inc({ route, status: String(status) }, requests);
    }
    this.#byRoute.clear();
  }
}
