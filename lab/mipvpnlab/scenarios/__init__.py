# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios of `lab/run`, in the order of `lab/run all`."""
ALL = {}
