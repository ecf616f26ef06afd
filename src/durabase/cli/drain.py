"""``durabase drain``: has load balancers look elsewhere, and lets clients go; or takes that back."""

from __future__ import annotations

import argparse
import json

from durabase.cli.admin_client import Asked
from durabase.cli.console import Console
from durabase.cli.objects import server_of

__all__ = ["drain"]


def drain(options: argparse.Namespace, console: Console) -> int:
    """Have all processes of a server drained, or no longer.

    Raises:
        DurabaseError: no server runs.
    """
    server = server_of(options, console)
    if options.undo:
        answer = server.ask(Asked("DELETE", "/drain"))
    else:
        closing = {"close": "yes", "seconds": str(options.seconds)} if options.close else {}
        answer = server.ask(Asked("POST", "/drain", closing))
    if options.json:
        console.line(json.dumps(json.loads(answer)))
    else:
        console.line(_said(options))
    return 0


def _said(options: argparse.Namespace) -> str:
    if options.undo:
        return "Not draining any more"
    if options.close:
        return f"Draining: not ready, refuses requests, closes its sockets over {options.seconds} s"
    return "Draining: not ready; who comes is served"
