#!/usr/bin/env bash
# From a fresh clone to the first page with `make run`, then `make run` again; each is stopped as by Ctrl-C.
#   benchmarks/first_run.sh [PORT]
# The package cache is the one that pip and npm already have: this measures a warm one, if it is warm.
set -euo pipefail
export LC_ALL=C

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
port=${1:-8799}
folder=$(mktemp --directory --tmpdir tollgate-bench-XXXXXX)
trap 'rm -rf "$folder"' EXIT
unset "${!TOLLGATE_@}" DATABASE_URL REDIS_URL DJANGO_SETTINGS_MODULE VIRTUAL_ENV

answers() { python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1" 2>/dev/null; }

since() { awk -v began="$1" -v now="$EPOCHREALTIME" 'BEGIN { print now - began }'; }

# run NAME WANTED PATIENCE: seconds until the first page is there, then Ctrl-C and the exit code of `make run`.
run() {
	local began=$EPOCHREALTIME pid code=0
	# Ctrl-C reaches a whole foreground group, and a shell's background job ignores it unless it has one of its own.
	set -m
	make --directory "$folder/tollgate" --no-print-directory run PORT="$port" >"$folder/log" 2>&1 &
	pid=$!
	set +m
	until answers "http://127.0.0.1:$port/accounts/login/"; do
		if ! kill -0 "$pid" 2>/dev/null || ((${EPOCHREALTIME%.*} - ${began%.*} > $3)); then
			tail -20 "$folder/log" >&2
			kill -KILL -- "-$pid" 2>/dev/null || true
			exit 1
		fi
		sleep 0.1
	done
	printf '%-58s %9.1f s    <= %s s\n' "$1" "$(since "$began")" "$2"
	began=$EPOCHREALTIME
	kill -INT -- "-$pid"
	wait "$pid" || code=$?
	printf '%-58s %9.1f s    exit code %s\n' "  stopped by Ctrl-C" "$(since "$began")" "$code"
}

git clone --quiet "$here" "$folder/tollgate"
run "first \`make run\` of a fresh clone, to the first page" 240 1200
run "\`make run\` again" 15 300
echo "Load of the machine (1, 5, 15 minutes): $(cut -d' ' -f1-3 /proc/loadavg)"
