"""What a run cost, as one line of JSON: the fields of `Run` in bench/measure.ts."""

import json
import resource
import time


class Clock:
    """Wall and CPU time of this process from now on."""

    def __init__(self):
        self.started = time.perf_counter()
        self.cpu_before = _cpu_seconds()

    def tell(self, rows):
        run = {
            "rows": rows,
            "seconds": time.perf_counter() - self.started,
            "cpuSeconds": _cpu_seconds() - self.cpu_before,
            "peakRssBytes": _peak_rss_bytes(),
        }
        print(json.dumps(run), flush=True)


def _cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_rss_bytes():
    # What getrusage tells begins with that of the process that this one was forked from.
    with open("/proc/self/status", encoding="utf8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024
