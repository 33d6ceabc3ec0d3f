"""The order of many numbers, found digit by digit.

NumPy compares values to sort their positions, but sorts integers of 16 bits with a radix sort,
in a tenth of the time. Here, numbers are sorted by digits of 16 bits, the last digit first.
The order of equal values does not depend on the processor, as that of a quicksort does.
"""

import numpy as np

DIGIT = 16  # bits
SIGN = np.int64(2**63 - 1)  # All bits of a float but its sign.


def order_of_numbers(values: np.ndarray, ascending: bool = True) -> np.ndarray:
    """Return the positions of numbers, dates or durations in sorted order.

    Equal values stay in the order of their positions, and NaN and NaT come last, as in
    ``Series.sort_values(kind="stable")``.
    """
    missing = np.zeros(0, int)
    present = None
    if values.dtype.kind in "fmM":
        is_missing = np.isnan(values)
        if is_missing.any():
            missing, present = np.flatnonzero(is_missing), np.flatnonzero(~is_missing)
            values = values[present]
    digits, bits = _digits(values)
    if not ascending and len(digits):
        digits = digits.max() - digits
    order = digits.astype(np.uint16).argsort(kind="stable")
    for shift in range(DIGIT, bits, DIGIT):
        digit = (digits >> np.uint64(shift)).astype(np.uint16)
        order = order.take(digit.take(order).argsort(kind="stable"))
    return order if present is None else np.append(present.take(order), missing)


def _digits(values):
    """Return non-negative integers in the order of the values, and their number of bits."""
    if not len(values):
        return np.zeros(0, np.uint64), 0
    if values.dtype.kind == "f":
        # The bits of a float, as an integer, have the order of the float. Those of a
        # negative float have the opposite order. Adding zero makes each zero positive.
        bits = (values.astype(np.float64) + 0.0).view(np.int64)
        values = np.where(bits < 0, bits ^ SIGN, bits)
    elif values.dtype.kind in "mM":
        values = values.view(np.int64)
    least, greatest = values.min(), values.max()
    # Without a sign, 64 bits can represent the difference of each two integers.
    digits = values.astype(np.uint64) - least.astype(np.uint64)
    return digits, (int(greatest) - int(least)).bit_length()
