"""How closely results must agree: one tolerance for each kind of result, stated once.

Which one holds follows from where two results may differ, not from what a test happens to find:

- exact: counts, labels of ideal crystals, hashes, and whatever one machine computes twice, with
  other rows, batches, orders, threads or processes; compared by equality or byte by byte.
- `ARITHMETIC`: double precision, sums taken in another order.
- `SINGLE`, `SINGLE_BITS`: single precision against the same sums in double precision.
- `APPROXIMATION`: an approximation by design against what it stands for.
- `OTHER_MACHINE`: class probabilities of the same weights on another processor, BLAS, or system.
- `STANDARD_ERRORS`: two draws of something random.
"""

from __future__ import annotations

#: Relative; absolute where the exact value is zero.
ARITHMETIC = 1e-9

#: Absolute, of class probabilities, which are of order one.
SINGLE = 1e-6

#: Absolute, of entropies in bits, which are sums over the classes.
SINGLE_BITS = 1e-5

#: Relative, of the length of the difference of two descriptors.
APPROXIMATION = 1e-5

#: Absolute, of class probabilities and of entropies in bits.
OTHER_MACHINE = 1e-5

#: Within so many of its standard errors lies 99.7 % of what is normally distributed.
STANDARD_ERRORS = 3.0
