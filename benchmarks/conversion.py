#!/usr/bin/env python3
"""The converter of RetinaFace labels against `cat FILES | sha256sum`, interleaved.

python benchmarks/conversion.py --itxt W/train/label.txt --idir W/train/images --pictures 10000
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import interleaved
from object_detection.dataset_tools import retinaface_labels

REPO = pathlib.Path(__file__).resolve().parents[1]
CONVERTER = REPO / "scripts" / "txt_to_tfr_retface_v2.py"


def blocks(itxt: str) -> list[tuple[str, str]]:
    """The pictures of a label file: path, and the lines of their faces."""
    found = []
    with retinaface_labels.open_labels(itxt) as lines:
        for block in "".join(lines).split("# ")[1:]:
            path, _, faces = block.partition("\n")
            found.append((path.strip(), faces))
    return found


def copy_pictures(itxt: str, idir: str, count: int, folder: pathlib.Path) -> list[pathlib.Path]:
    """Copies pictures, again and again, until there are `count`; writes `label.txt` beside them."""
    sources = blocks(itxt)
    copies = []
    with (folder / "label.txt").open("w", encoding="utf-8") as labels:
        for number in range(count):
            path, faces = sources[number % len(sources)]
            copy = folder / "images" / f"{number // 1000:03d}" / f"{number:06d}.jpg"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(os.path.join(idir, path), copy)
            labels.write(f"# {copy.relative_to(folder / 'images')}\n{faces}")
            copies.append(copy)
    return copies


def converter(labels: pathlib.Path, folder: pathlib.Path) -> Callable[[], None]:
    """The command, as users give it, on a label file."""
    command = [
        sys.executable,
        str(CONVERTER),
        f"--itxt={labels}",
        f"--idir={folder / 'images'}",
        f"--opath={folder / 'out' / 'faces.record'}",
        "--small_faces=drop",
        "--thres=0.02",
    ]
    return lambda: subprocess.run(command, check=True, capture_output=True) and None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--itxt", required=True, help="label file, RetinaFace format")
    parser.add_argument("--idir", required=True, help="folder that its paths start from")
    parser.add_argument("--pictures", type=int, default=10000, help="copies to convert")
    parser.add_argument("--rounds", type=int, default=5, help="that count; one more warms up")
    parser.add_argument("--output", default="", help="JSON file to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        copies = copy_pictures(options.itxt, options.idir, options.pictures, folder)
        megabytes = sum(copy.stat().st_size for copy in copies) / 1e6
        names = folder / "names"
        names.write_bytes(b"".join(os.fsencode(copy) + b"\0" for copy in copies))
        one = folder / "one.txt"
        one.write_text(f"# {copies[0].relative_to(folder / 'images')}\n", encoding="utf-8")
        shell = f"xargs -0 cat < {names} | sha256sum"
        calls = {
            "cat | sha256sum": lambda: subprocess.run(
                shell, shell=True, check=True, capture_output=True
            ),
            "converter": converter(folder / "label.txt", folder),
            "converter, one picture": converter(one, folder),
        }
        result = interleaved.compare(calls, options.rounds, 1)
    result["pictures"], result["megabytes"] = options.pictures, megabytes
    share = 1 / result["median_ratios"]["converter"]
    print(f"{options.pictures} pictures, {megabytes:.0f} MB")
    interleaved.report(result, options.output)
    print(f"speed of the converter, start-up included: {share:.2f} of cat | sha256sum")


if __name__ == "__main__":
    main()
