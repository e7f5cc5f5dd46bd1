#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes configure from a git checkout.
set -e
cd "$(dirname "$0")"
mkdir -p m4
exec autoreconf -fi
