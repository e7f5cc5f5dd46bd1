#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every sample of conf/ that a program of ours reads passes that program's own check (freeDiameter's have none), with each
# commented-out key in force as well.
set -u
conf=${srcdir:-$(dirname "$0")/../../..}/conf
dir=$(mktemp -d "${TMPDIR:-/tmp}/mipvpn-samples-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

./mipvpn-keytool new "$dir/key" || exit 1
check() { # PROGRAM SAMPLE
	sed "s|\"/etc/mipvpn/keys/[^\"]*\"|\"$dir/key\"|" "$conf/$2" >"$dir/plain"
	# One node in all roles: a PCN has the address of the other role.
	sed '/--check-config/d; s/"198.51.100.32"/"198.51.100.11"/; s/^#\([[:graph:]\t]\)/\1/; s/^\t#\([[:graph:]]\)/\t\1/' "$dir/plain" >"$dir/all"
	for text in plain all; do
		"./$1" --check-config -c "$dir/$text" && continue
		echo "FAIL $2 ($text)"
		failed=1
	done
}
check mipvpn-agentd mipvpn-agentd.conf.sample
check mipvpn-mn mipvpn-mn.conf.sample
check mipvpn-webd mipvpn-webd.conf.sample
exit $failed
