#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# doc/walk.md names files and functions: each must exist, and the function must be defined in the file named last in front
# of it.  Also: what it calls a file is one.
top=${srcdir:-$(dirname "$0")/../../..}
grep -o '`[^`]*`' "$top/doc/walk.md" | tr -d '`' | {
	file= bad=0 seen=0
	while read -r word; do
		case $word in
		*/*.c | */*.h | */*.sh)
			file=$word
			[ -f "$top/$file" ] || { echo "doc/walk.md: no file $file"; bad=1; }
			;;
		*'()')
			seen=$((seen + 1))
			name=${word%'()'}
			grep -Eqs "^[a-z].*[ *]$name\(" "$top/$file" || { echo "doc/walk.md: $name() is not in $file"; bad=1; }
			;;
		esac
	done
	[ "$seen" -ge 30 ] || { echo "doc/walk.md: only $seen functions found"; bad=1; }
	exit $bad
}
