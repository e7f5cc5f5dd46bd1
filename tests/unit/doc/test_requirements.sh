#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Ids of requirements in parentheses, anywhere in the tree, stand in doc/requirements.md; the tests that it names exist.
top=${srcdir:-$(dirname "$0")/../../..}
doc=$top/doc/requirements.md
bad=0
known=$(sed -n 's/^| \([A-G][1-9][A-G1-9, ]*\) |.*/\1/p' "$doc" | tr -d ',')
used=$(cd "$top" && grep -rhoE '\((requirements? )?[A-G][1-9]((, |-)[A-G][1-9])*[,)]' agent diameter extensions lib mn nethelper tools \
	sql lab doc --include='*.[ch]' --include='*.sql' --include='*.py' --include='*.md' | grep -oE '[A-G][1-9]' | sort -u)
for id in $used; do
	case " $(echo $known) " in
	*" $id "*) ;;
	*) echo "doc/requirements.md: no $id"; bad=1 ;;
	esac
done
[ "$(echo "$used" | wc -l)" -ge 10 ] || { echo "only these ids were found: $used"; bad=1; }
for file in $(grep -o '`tests/[^`]*`' "$doc" | tr -d '`'); do
	[ -f "$top/$file" ] || { echo "doc/requirements.md: no file $file"; bad=1; }
done
for name in $(grep -oE '\bF1-[a-z]+' "$doc" | sort -u); do
	grep -q "\"$name\":" "$top/lab/mipvpnlab/scenarios/__init__.py" || { echo "doc/requirements.md: no scenario $name"; bad=1; }
done
exit $bad
