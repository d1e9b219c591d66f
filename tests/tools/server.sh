# Sourced by scripts that ask a server: a folder $work for their files, the server, and how both end.
work=$(mktemp -d)
server=
trap 'stop; rm -rf "$work"' EXIT

stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}

fail() { echo "$1" >&2; [ ! -s "$work/log" ] || cat "$work/log" >&2; exit 1; }

# start COMMAND...: has it serve $images and sets $base and $admin; false where it ends before.
images=fixtures/images
start() {
  : >"$work/out"
  "$@" serve "$images" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
  server=$!
  for _ in $(seq 600); do
    # The admin's address is told last.
    admin=$(sed -n 's|^admin \(.*\)/metrics$|\1|p' "$work/out")
    base=$(sed -n '1s|/$||p' "$work/out")
    [ -z "$admin" ] || return 0
    kill -0 "$server" 2>/dev/null || { wait "$server" || true; server=; return 1; }
    sleep 0.1
  done
  fail "the server says no address"
}
