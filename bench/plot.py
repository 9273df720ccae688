"""docs/performance.svg: how long until the prompt and until the verdict, against the round-trip time."""

from pathlib import Path
from typing import Callable

from . import goals
from .logins import Login
from .measure import Results

# Text stays text, and the same figures make the same file.
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "bench",
    "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans", "sans-serif"], "font.size": 9,
}  # fmt: skip

# (flow, colour, line): ours are the thick ones, beneath the others, where these are the same.
LINES = (
    ("awscli", "#9c6b4e", "-"), ("boto3", "#d98880", "-"), ("curl", "#c0a030", "-"), ("duo", "#7d8a97", "-"),
    ("libcurl", "#5b9a5b", "--"), ("openssl", "#222222", ":"),
    ("signin-srp", "#1f5fbf", "-"), ("signin-password", "#4f94e8", "-"),
    ("token", "#7030a0", "-"), ("token-prepared", "#c070e0", "-"),
)  # fmt: skip

PANELS: tuple[tuple[str, Callable[[Login], float]], ...] = (
    ("until the prompt", goals.prompt),
    ("from the code to the verdict", goals.verdict),
)


def draw(path: Path, results: Results) -> None:
    # Not before: it takes its time, and who reads the tables above need not have it.
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plot

    titles = {flow.name: flow.title for flow in results.flows}
    kinds = {flow.name: flow.kind for flow in results.flows}
    with plot.rc_context(STYLE):
        figure, axes = plot.subplots(1, len(PANELS), figsize=(9, 4.8), sharey=True)
        for axis, (title, what) in zip(axes, PANELS):
            for name, colour, line in LINES:
                heights = [results.median(name, what, trip) / 1000 for trip in results.plan.round_trips]
                width, layer = (2.6, 2) if kinds[name] == "module" else (1.1, 3)
                axis.plot(results.plan.round_trips, heights, line, color=colour, linewidth=width, zorder=layer, label=titles[name])
            axis.set_title(title)
            axis.set_xlabel("round-trip time, ms")
            axis.set_ylim(bottom=0)
            axis.grid(True, linewidth=0.4)
        axes[0].set_ylabel("ms")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncol=2, frameon=False, fontsize=8)
        figure.subplots_adjust(left=0.07, right=0.99, top=0.93, bottom=0.32, wspace=0.05)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        plot.close(figure)
