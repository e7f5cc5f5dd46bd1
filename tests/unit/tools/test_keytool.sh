#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# mipvpn-keytool from outside: what it prints, what it refuses, and that no secret shows.
set -u
tool=${KEYTOOL:-$PWD/mipvpn-keytool}
dir=$(mktemp -d "${TMPDIR:-/tmp}/mipvpn-keytool-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0 ran=0

ok() { # NAME COMMAND...
	name=$1; shift; ran=$((ran + 1))
	if "$@"; then echo "ok   $name"; else echo "FAIL $name"; failed=$((failed + 1)); fi
}
refuses() { # STATUS COMMAND...: exits so, and prints nothing on standard output
	want=$1; shift
	out=$("$@" 2>err </dev/null); got=$?
	[ "$got" = "$want" ] && [ -z "$out" ] && [ -s err ]
}
unwrap() { "$tool" unwrap --show-keys "$@"; }

ok "new makes a key file" "$tool" new a.key
ok "of mode 0600" test "$(stat -c %a a.key)" = 600
ok "of 64 hex digits" grep -Eqx '[0-9a-f]{64}' a.key
ok "and never overwrites it" refuses 1 "$tool" new a.key
"$tool" new b.key
ok "two key files differ" test "$(cat a.key)" != "$(cat b.key)"

secret=00112233445566778899aabbccddeeff
wrapped=$(echo $secret | "$tool" wrap -k a.key -l subscriber:alice@home.test)
ok "wrap prints a bytea" sh -c "echo '$wrapped' | grep -Eqx '[\\]x01[0-9a-f]{88}'"
ok "without the secret in it" sh -c "! echo '$wrapped' | grep -q $secret"
again=$(echo $secret | "$tool" wrap -k a.key -l subscriber:alice@home.test)
ok "another one each time" test "$wrapped" != "$again"
ok "unwrap gives it back" test "$(echo "$wrapped" | unwrap -k a.key -l subscriber:alice@home.test)" = $secret
ok "-x and -f are the same" test "$(unwrap -k a.key -l subscriber:alice@home.test -x "$wrapped")" = $secret
echo "$wrapped" >w
ok "-f" test "$(unwrap -k a.key -l subscriber:alice@home.test -f w)" = $secret
ok "unwrap needs --show-keys" refuses 2 "$tool" unwrap -k a.key -l subscriber:alice@home.test -f w
ok "another label is refused" refuses 1 unwrap -k a.key -l subscriber:bob@home.test -f w
ok "another key file is refused" refuses 1 unwrap -k b.key -l subscriber:alice@home.test -f w
sed 's/.$/x/; y/0123456789abcdefx/123456789abcdef00/' w >damaged
ok "a damaged value is refused" refuses 1 unwrap -k a.key -l subscriber:alice@home.test -f damaged
moved=$("$tool" rewrap -k a.key -n b.key -l subscriber:alice@home.test -f w)
ok "rewrap to another key file" test "$(unwrap -k b.key -l subscriber:alice@home.test -x "$moved")" = $secret
ok "rewrap needs -n" refuses 2 "$tool" rewrap -k a.key -l subscriber:alice@home.test -f w
raw=$(printf 'pass phrase\n' | "$tool" wrap -r -k a.key -l sla:acme)
ok "-r takes bytes as they are" test "$(unwrap -k a.key -l sla:acme -x "$raw")" = 70617373207068726173650a

ok "random prints hex" sh -c "'$tool' random 20 | grep -Eqx '[0-9a-f]{40}'"
for n in 0 -1 1025 x ""; do ok "random '$n' is refused" refuses 2 "$tool" random "$n"; done
ok "no hex is refused" refuses 1 "$tool" wrap -k a.key -l x -x 0g
ok "an odd digit is refused" refuses 1 "$tool" wrap -k a.key -l x -x 000
ok "empty input is refused" refuses 1 "$tool" wrap -k a.key -l x
ok "a missing label is refused" refuses 2 "$tool" wrap -k a.key -x 00
ok "a missing key file is refused" refuses 1 "$tool" wrap -k nothing -l x -x 00
head -c 4000 /dev/zero | tr '\0' 0 >long
ok "a long secret is refused" refuses 1 "$tool" wrap -k a.key -l x -f long
chmod 644 b.key
ok "a key file that all can read is refused" refuses 1 "$tool" wrap -k b.key -l x -x 00
echo short >c.key && chmod 600 c.key
ok "a malformed key file is refused" refuses 1 "$tool" wrap -k c.key -l x -x 00
ok "no command is refused" refuses 2 "$tool"
ok "an unknown command is refused" refuses 2 "$tool" frob
ok "the secret is in no error" sh -c "! '$tool' wrap -k nothing -l x -x $secret 2>&1 | grep -q $secret"

# A decoder that is not ours, where there is one.
if /usr/bin/python3 -c 'import cryptography' 2>/dev/null; then
	ok "AES-256-GCM as others do it" /usr/bin/python3 - "$wrapped" "$secret" <<'EOF'
import sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
w = bytes.fromhex(sys.argv[1][2:])
key = bytes.fromhex(open("a.key").read())
plain = AESGCM(key).decrypt(w[1:13], w[13:], b"subscriber:alice@home.test")
sys.exit(plain.hex() != sys.argv[2])
EOF
fi
echo "$ran run, $failed failed"
[ "$failed" = 0 ]
