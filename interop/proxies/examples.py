"""The programs of `examples/forward-auth`, as modules."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "examples" / "forward-auth"


def load(name):
    loader = SourceFileLoader(name, str(FOLDER / name))
    module = module_from_spec(spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


run = load("run")
backend = load("backend")
