"""How what was measured is told: against a goal that a machine may miss, or against a promise that must hold."""

import os

from report import failed, passed

# A busy machine measures itself. So goals fail a run only where somebody watches it: `interop/load/run full`.
GOALS_COUNT = os.environ.get("KLIENTO_LOAD") == "full"


def goal(label, is_met, figure):
    if is_met:
        passed(f"{label}: {figure}")
    elif GOALS_COUNT:
        failed(label, figure)
    else:
        print(f"missed, which counts in full runs alone - {label}: {figure}", flush=True)


def promise(label, is_kept, figure):
    if is_kept:
        passed(f"{label}: {figure}")
    else:
        failed(label, figure)
