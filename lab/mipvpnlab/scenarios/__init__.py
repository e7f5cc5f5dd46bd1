# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios of `lab/run`, in the order of `lab/run all`."""
from . import bench, dead, decoders, end, f1, memory, refuse, start, users

ALL = {"F1": f1, "F1-users": users, "F1-refuse": refuse, "F1-dead": dead, "F1-end": end, "F1-start": start,
       "F1-decode": decoders}
# Run by name only.
OTHERS = {"bench": bench, "memory": memory}
