"""Measures, and writes the page. scripts/bench starts this, as root, where no other process is seen."""

import argparse
import os
import sys
from pathlib import Path

from harness import machine
from harness.machine import GROUND
from harness.syslog import Syslog

from . import goals, measure, place
from .flows import all_flows
from .logins import Driver, Failed
from .measure import Measuring, Plan, Results
from .server import Pool, Server

TOP = Path(__file__).resolve().parents[1]
PAGE, PICTURE = "performance.md", "performance.svg"

SHORT = {"quick": measure.QUICK, "smoke": measure.SMOKE}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--build", type=Path, required=True, help="where scripts/build has built")
    parser.add_argument("--version", required=True)
    for name in SHORT:
        parser.add_argument(f"--{name}", type=Path, metavar="FOLDER", help="a short run, whose page goes there and not to docs/")
    return parser.parse_args()


def run(options: argparse.Namespace, plan: Plan) -> tuple[Results, bool, bool]:
    """What was measured, whether it went before all else on this machine, and whether the processors stayed awake."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: goals.PROCESSORS])
    awake = plan.first and place.stay_awake() is not None
    place.enter([TOP, options.build, *(path for name in SHORT if (path := getattr(options, name)))])
    syslog = Syslog()
    pools = [Pool("eu-central-1", "password"), Pool("eu-west-1", "srp")]
    server = Server(GROUND / "server", pools)
    programs = options.build / "bench"
    flows = all_flows(options.build / "prefix/lib/security", TOP / "pam.d-examples", programs, pools, server.folder / "root.pem")
    network = place.Network(programs / "delay", server.names)
    first = place.first() if plan.first else ()
    try:
        server.start(network.far_command(*first))
        return Measuring(plan, flows, Driver([*first, programs / "host"], server), network).run(), bool(first), awake
    except Failed:
        print(*syslog.take()[-20:], sep="\n", file=sys.stderr)
        raise
    finally:
        server.stop()
        network.close()


def main() -> int:
    options = arguments()
    load = os.getloadavg()[0]
    docs = TOP / "docs"
    wanted = [name for name in SHORT if getattr(options, name)]
    plan = SHORT[wanted[0]] if wanted else measure.FULL
    folder = getattr(options, wanted[0]) if wanted else docs
    try:
        results, first, awake = run(options, plan)
    except (machine.Impossible, Failed) as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    os.environ["MPLCONFIGDIR"] = str(GROUND)
    from . import plot, report

    report.write(docs / PAGE, folder / PAGE, results, report.describe(results, options.version, load, first, awake))
    plot.draw(folder / PICTURE, results)
    # A smoke test takes what processor time the others leave: it measures them.
    for one in goals.outcomes(results) if plan.first else ():
        print(f"{'met    ' if one.met else 'NOT MET'}  {one.what}: {one.show(one.counted)}, goal {one.goal}")
    count = sum(map(len, results.logins.values()))
    print(f"{count} logins of {len(results.flows)} flows, each let in. Written: {folder / PAGE}, {folder / PICTURE}")
    return 0


sys.exit(main())
