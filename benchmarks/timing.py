"""One way to time: the median of several runs."""

import statistics
import time


def median(task, rounds: int = 5, clock=time.perf_counter) -> float:
    """Seconds."""
    spent = []
    for _ in range(rounds):
        start = clock()
        task()
        spent.append(clock() - start)
    return statistics.median(spent)
