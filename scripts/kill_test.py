#!/usr/bin/env python3
"""Shows that kills lose nothing: kill -9 at random moments, and the same bits in the end.

scripts/kill_test.py --kills 100 --output kill_test_output

Trains a tiny detector on drawn faces, undisturbed and in rounds of kills and restarts, compares all
variables, the best checkpoint and the history of evaluations, and looks for leftovers. Then it does
the same to exports. Exit status 1 if anything differs; what was found is in OUTPUT/result.json.
"""

import argparse
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.errors import ConfigError, DataError
from object_detection.utils import files, startup


def kill() -> str:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="kills of trainings")
    parser.add_argument("--export_kills", type=int, help="of exports; a fifth of KILLS by default")
    parser.add_argument("--seed", type=int, help="of the moments; by default another each time")
    parser.add_argument(
        "--output", type=pathlib.Path, default="kill_test_output", help="folder; emptied before"
    )
    options = parser.parse_args()
    if options.kills < 1:
        raise ConfigError(f"--kills is {options.kills}; give 1 or more.")
    marker = options.output / "x.config"
    if options.output.exists() and any(options.output.iterdir()) and not marker.exists():
        raise ConfigError(f"--output {options.output}: holds other things; it would be emptied.")
    startup.prepare_tensorflow()
    from object_detection.legacy.kill_test import KillTest

    seed = random.randrange(10**6) if options.seed is None else options.seed
    startup.say(f"seed {seed}")
    exports = options.kills // 5 if options.export_kills is None else options.export_kills
    test = KillTest(options.output.resolve(), seed, startup.say)
    result = test.run(options.kills, exports).as_json()
    files.write_json(str(options.output / "result.json"), result)
    startup.say(json.dumps(result, indent=1))
    if result["problems"]:
        raise DataError(f"{len(result['problems'])} differences; see above.")
    return (
        f"{result['kills']} kills, {result['rounds']} trainings: {result['compared']} comparisons, "
        "no difference and no leftover."
    )


if __name__ == "__main__":
    startup.run_program("kill_test", kill)
