"""Training steps of a net of dense layers by Adam: python3 step.py LEARNER ROWS STEPS RUNS SIZE…

LEARNER is torch, torch-fused or tensorflow. SIZE… are features, hidden units, outputs: 8 64 64 1. Each step predicts, takes
the mean squared error, and updates, as a trainer's does: its input comes from numpy and its loss goes back to Python.
The environment says with how many threads: OMP_NUM_THREADS, TF_NUM_INTRAOP_THREADS.
"""

import os
import sys

import numpy as np

from measured import Clock


def main(name, rows, steps, runs, *sizes):
    from learners import learner

    sizes = [int(size) for size in sizes]
    features = np.sin(np.arange(int(rows) * sizes[0])).astype(np.float32).reshape(int(rows), sizes[0])
    labels = np.cos(np.arange(int(rows))).astype(np.float32).reshape(int(rows), 1)
    step = learner(name, sizes)
    for run in range(int(runs) + 1):
        clock = Clock()
        for _ in range(int(steps)):
            step(features, labels)
        # The first round compiles and warms up.
        if run > 0:
            clock.tell(int(rows) * int(steps))


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
main(*sys.argv[1:])
