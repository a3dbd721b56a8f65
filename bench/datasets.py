"""Public data to measure with. None of it is ours to pass on: it is fetched or found, and never kept in the project.

MovieLens-100k (Harper & Konstan 2015; for research) is read out of the wheel of RecBole 1.2.1, which pip fetches once.
What else is measured is looked for in the folder that the variable `SISHU_DATA` names, and passed over without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "var" / "bench"
OTHERS = Path(os.environ.get("SISHU_DATA", FOLDER))
WHEEL, INSIDE = "recbole==1.2.1", "recbole/dataset_example/ml-100k/"


def movielens() -> Path:
    """The folder of ml-100k.inter and ml-100k.item."""
    folder = FOLDER / "ml-100k"
    if not (folder / "ml-100k.item").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(FOLDER), WHEEL], check=True
        )
        with zipfile.ZipFile(next(FOLDER.glob("recbole-*.whl"))) as wheel:
            for name in ("ml-100k.inter", "ml-100k.item"):
                (folder / name).write_bytes(wheel.read(INSIDE + name))
    return folder


def anime() -> Path | None:
    """The folder of anime_ratings.dat.gz and anime_info.dat.gz, where somebody has put them."""
    return OTHERS / "recsys" if (OTHERS / "recsys" / "anime_ratings.dat.gz").exists() else None


def open_bandit() -> Path | None:
    """The folder of the small logs of the Open Bandit Dataset (Saito et al. 2021), where somebody has put them."""
    return OTHERS / "ads" if (OTHERS / "ads" / "obd_random_all_all.csv.gz").exists() else None
