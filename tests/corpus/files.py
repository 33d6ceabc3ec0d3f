"""Find the data files of installed packages."""

import bz2
import contextlib
import gzip
import lzma
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

KINDS = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".xlsx": "Excel",
    ".xlsm": "Excel",
    ".xls": "Excel",
    ".parquet": "Parquet",
    ".feather": "Feather",
    ".json": "JSON",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
}
COMPRESSED = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
ARCHIVES = ".tar.gz", ".tgz", ".zip"
# Larger files take longer, and test no more than smaller ones. openpyxl needs seconds
# for a megabyte.
MAX_BYTES = {"Excel": 1 << 20}
MAX_BYTES_OF_OTHERS = 16 << 20

# Files that are not data: metadata of packages, schemas, models, and programs' settings.
NOT_DATA = (
    "*.dist-info/*",
    "*/package_data/*",
    "*labextension*",
    "*package.json",
    "*.card.json",
    "*/models/*",
    "*/validators/*",
    "*/coordination_geometries_files/*",
    "*/plugin_cache.json",
    "*/_generated_/*",
    "*/evals_canonical/*",
    "*/cybench/*",
    "*/tool_specs/*",
    "*/threat_snapshots/*",
    "*/datapackage*.json",
    "*/cyberseceval_4/*",
    "*/persistbench/*",
    "*schema*.json",
    "*/__MACOSX/*",
    "*/._*",
)
# These folders have many files with the same columns. Read one file out of this number.
ONE_OF = {"country_list": 12, "countryinfo": 12, "evals": 8, "inspect_evals": 4}


@dataclass(frozen=True)
class DataFile:
    """A file to open.

    Attributes:
        package: the folder that its package installs, or its source archive.
        name: its path in the package.
        path: its path on this machine, uncompressed.
    """

    package: str
    name: str
    path: Path

    @property
    def kind(self) -> str:
        return KINDS[self.path.suffix.lower()]


def data_files(directory: Path, work: Path, packages: str = "*") -> Iterator[DataFile]:
    """Yield the data files of all packages in a directory.

    Args:
        directory: contains a folder or a source archive for each package.
        work: a folder for the files that have to be unpacked.
        packages: a pattern of the names of packages.
    """
    for package in sorted(directory.glob(packages)):
        root = package
        if package.name.endswith(ARCHIVES):
            root = _unpack(package, work / "sources" / package.name)
        if not root.is_dir():
            continue
        name = package.name.removesuffix(".tar.gz").removesuffix(".zip")
        found = list(_files_below(root, work / "unpacked" / package.name))
        for each in found[:: ONE_OF.get(name, 1)]:
            yield DataFile(name, *each)


def _files_below(root: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each data file, uncompressed."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or any(
            fnmatch(f"{root.name}/{name}", each) for each in NOT_DATA
        ):
            continue
        suffix = path.suffix.lower()
        if path.name.lower().endswith(ARCHIVES):
            target = _unpack(path, work / name)
            for inner, unpacked in _files_below(target, work / f"{name}-more"):
                yield f"{name}/{inner}", unpacked
        elif suffix in COMPRESSED and Path(path.stem).suffix.lower() in KINDS:
            target = work / name.removesuffix(path.suffix)
            target.parent.mkdir(parents=True, exist_ok=True)
            with COMPRESSED[suffix].open(path) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
            if _has_good_size(target):
                yield name.removesuffix(path.suffix), target
        elif suffix in KINDS and _has_good_size(path):
            yield name, path


def _has_good_size(path: Path) -> bool:
    kind = KINDS[path.suffix.lower()]
    return 0 < path.stat().st_size <= MAX_BYTES.get(kind, MAX_BYTES_OF_OTHERS)


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack an archive if that has not been done, and return its folder."""
    if not target.is_dir():
        target.mkdir(parents=True)
        safely = {} if archive.suffix == ".zip" else {"filter": "data"}
        # A RuntimeError is raised for an archive with a password.
        with contextlib.suppress(shutil.ReadError, RuntimeError):
            shutil.unpack_archive(archive, target, **safely)
    return target
