"""Linking in a process of its own: Splink and DuckDB take 160 MB and more that a long-lived worker would keep."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context

from doorstep.people.identity.linkage_result import Linked
from doorstep.people.identity.matching import Facts


def link(left: Sequence[Facts], right: Sequence[Facts] | None = None, *, threads: int = 2) -> list[Linked]:
    """As `linkage.link`; the engines live and die with the process. Raises what it raises, and BrokenProcessPool when it was killed."""
    # Spawned, not forked: this process has threads, and connections to the database that nobody may share.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as apart:
        return apart.submit(partial(link_here, threads=threads), left, right).result()


def link_here(left: Sequence[Facts], right: Sequence[Facts] | None = None, *, threads: int = 2) -> list[Linked]:
    """The same in this process, which keeps the engines: for a command that ends with its answer."""
    found: list[Linked] = import_module("doorstep.people.identity.linkage").link(left, right, threads=threads)
    return found
