"""Recorded searches: does the package still give the same results?

``python -m benchmarks.recorded`` repeats all of them and compares what they find with
``benchmarks/recorded.json``; ``--record`` writes that file anew. Only the public API is used, so
that the inside of the package may change as it likes. Run it with ``OMP_NUM_THREADS=1``: sums of
other threads are other sums.
"""
