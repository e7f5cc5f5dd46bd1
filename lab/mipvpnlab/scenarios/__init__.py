# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios of `lab/run`, in the order of `lab/run all`."""
from . import (bench, bench_live, bench_moves, db_restart, dead, decoders, end, f1, f4, f7, f8, f9, live_change, live_contract,
               live_move, memory, move_loss, move_more, moves, page, path, pcn_dead, pcn_mixed, refuse, security, start, users)
from .move import F2, F3, F5, F6

ALL = {"F1": f1, "F1-users": users, "F1-security": security, "F1-refuse": refuse, "F1-dead": dead, "F1-end": end, "F1-start": start,
       "F1-decode": decoders, "F4": f4,
       "F4-mixed": pcn_mixed, "F4-dead": pcn_dead, "F7": f7, "F7-page": page, "F8": f8, "F9": f9,
       "F1-path": path, "F2": F2, "F3": F3, "F5": F5, "F6": F6, "F3-more": move_more, "moves": moves,
       "moves-loss": move_loss, "live-change": live_change, "live-contract": live_contract,
       "live-move": live_move, "db-restart": db_restart}
# What is lost and how long it takes is what these are about: they run by themselves (lab/run --pairs).
ALONE = ("F7", "F2", "F3", "F5", "F6", "F3-more", "moves", "moves-loss", "live-change", "live-contract", "live-move",
         "db-restart")
# Run by name only.
OTHERS = {"bench": bench, "bench-moves": bench_moves, "bench-live": bench_live, "memory": memory}
