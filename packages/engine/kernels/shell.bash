# Runs the code of one context in this bash; src/code/kernel-protocol.ts has the protocol.
# Given to `bash -c` with the mark of its frames as its argument.
exec 251<&0 252>&1 253>&2 </dev/null
__sandport_mark=$1
set --

__sandport_frame() { printf '\0%s%s\0' "$__sandport_mark" "$2" >&"$1"; }

__sandport_frames() {
  __sandport_frame 252 "$1"
  __sandport_frame 253 "$1"
}

# An interrupt makes each further command of the code return, out to the loop below. One that comes
# before the code has begun is kept for it.
__sandport_inside=0
trap 'if (( __sandport_inside )); then
  set -o functrace
  trap "(( \${#FUNCNAME[@]} == 0 )) || return 130" DEBUG
else
  __sandport_asked=1
fi' INT

__sandport_eval() {
  if (( __sandport_asked )); then return 130; fi
  eval "$__sandport_code"
}

__sandport_frame 252 '{"type":"ready"}'
while IFS= read -r -d '' -u 251 __sandport_run && IFS= read -r -d '' -u 251 __sandport_code; do
  __sandport_asked=0
  __sandport_frames "{\"type\":\"begin\",\"run\":\"$__sandport_run\"}"
  __sandport_inside=1
  __sandport_eval </dev/null >&252 2>&253 251<&-
  __sandport_status=$?
  __sandport_inside=0
  trap - DEBUG
  set +o functrace
  __sandport_frames "{\"type\":\"end\",\"run\":\"$__sandport_run\",\"exit\":$__sandport_status}"
done
