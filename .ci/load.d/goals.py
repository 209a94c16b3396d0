"""How what was measured is told: against a goal that a machine may miss, or against a promise that must hold."""

import os

# A busy machine measures itself. So goals fail a run only where somebody watches it: `.ci/load full`.
GOALS_COUNT = os.environ.get("KLIENTO_LOAD") == "full"


def goal(label, is_met, figure):
    if is_met:
        print(f"ok - {label}: {figure}", flush=True)
    elif GOALS_COUNT:
        print(f"not ok - {label}: {figure}", flush=True)
    else:
        print(f"missed, which counts in full runs alone - {label}: {figure}", flush=True)


def promise(label, is_kept, figure):
    print(f"{'ok' if is_kept else 'not ok'} - {label}: {figure}", flush=True)
