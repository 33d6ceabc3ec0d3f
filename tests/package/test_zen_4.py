"""NumPy sorts without AVX-512 where this is faster: on AMD's Zen 4."""

import subprocess
import sys

import pytest

from django_dtale.dtale.loader import is_zen_4

PROCESSOR = """processor\t: 0
vendor_id\t: {vendor}
cpu family\t: {family}
flags\t\t: fpu avx avx2 {flag} bmi2

processor\t: 1
vendor_id\t: other
"""


@pytest.mark.parametrize(
    "vendor, family, flag, is_found",
    [
        ("AuthenticAMD", 25, "avx512f", True),
        ("AuthenticAMD", 25, "", False),  # Zen 3
        ("AuthenticAMD", 26, "avx512f", False),  # Zen 5
        ("GenuineIntel", 6, "avx512f", False),
    ],
)
def test_processor_is_recognized(tmp_path, vendor, family, flag, is_found):
    file = tmp_path / "cpuinfo"
    file.write_text(PROCESSOR.format(vendor=vendor, family=family, flag=flag))
    assert is_zen_4(file) == is_found


def test_other_systems_are_not_zen_4(tmp_path):
    (tmp_path / "empty").touch()
    assert not is_zen_4(tmp_path / "empty")
    assert not is_zen_4(tmp_path / "missing")


def test_numpy_is_imported_without_avx512():
    code = """
from django_dtale.dtale import loader
loader.is_zen_4 = lambda file: True
loader._avoid_slow_sorts()
import os
assert "NPY_DISABLE_CPU_FEATURES" not in os.environ
from numpy._core._multiarray_umath import __cpu_features__
for name in "X86_V4", "AVX512_SKX":  # The features of sorts since NumPy 2.4, and before.
    assert not __cpu_features__.get(name), name
"""
    command = [sys.executable, "-W", "error::ImportWarning", "-c", code]
    subprocess.run(command, check=True)
