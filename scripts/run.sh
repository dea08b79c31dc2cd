#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One prompt through the whole chain: makes the machine ready, builds what is not built, starts a
# development chain in a temporary folder, buys an answer on it, and stops it again.
#
#   ./scripts/run.sh "In the beginning"
#   ./scripts/run.sh --max-tokens 200 --temperature 0.8 "In the beginning"
#   ./scripts/run.sh --json "In the beginning"
#   ./scripts/run.sh --model path/to/model.gguf "Once upon a time"
#   ./scripts/run.sh --model smollm2-135m --chat "What is the capital of France?"
#
# Options:
#   --model MODEL       the operators serve this model instead of the built-in one: a file, or what
#                       `assay model fetch` downloads first, a name of `assay model list` or a URL
#   --dev-fault NAME    all operators cheat, such as wrong-token, truncate, wrong-model or silent
#   --keep              keep the node running until Ctrl-C
#   --json              the last line is one JSON object, everything else goes to standard error
#   -h, --help          this text
# All others are those of `assay run`. The exit code is that of `assay run`: 0 when the answer was
# verified and paid, 1 for an error, 2 for wrong usage, 3 when the job ended otherwise, and 4 when it was
# paid without an audit.
set -euo pipefail

# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# The longest that a node may take to answer, in seconds. It shares the cores with other programs.
START_SECONDS=180
# The longest that a node may take to stop, in seconds.
STOP_SECONDS=30

say() { printf 'run: %s\n' "$*" >&2; }
# Ends with that exit code and message.
fail() {
    local code=$1
    shift
    printf 'run: error: %s\n' "$*" >&2
    [ "$json" = no ] || printf '{"error":{"code":"run","message":"%s"}}\n' "${*//[\"\\]/\'}"
    exit "$code"
}
die() { fail 1 "$@"; }
usage() { fail 2 "$@"; }

json=no
keep=no
node_args=()
run_args=()
fetches=()
while [ $# -gt 0 ]; do
    case "$1" in
    -h | --help)
        sed -n '3,22s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --json)
        json=yes
        run_args+=(--json)
        ;;
    --keep) keep=yes ;;
    --model | --dev-fault)
        [ $# -ge 2 ] || usage "$1 needs a value"
        if [ "$1" = --model ] && [ ! -f "$2" ]; then
            # It may be a URL or a name. What is neither is found out before anything is built.
            case "$2" in
            *://*) ;;
            */* | *.gguf) die "there is no model file $2" ;;
            *)
                grep -qxF "name = \"$2\"" "$ASSAY_ROOT/node/cli/models.toml" ||
                    die "there is no model $2; node/cli/models.toml has the names"
                ;;
            esac
            fetches+=("$2")
        else
            node_args+=("$1" "$2")
        fi
        shift
        ;;
    --model=* | --dev-fault=*)
        set -- "${1%%=*}" "${1#*=}" "${@:2}"
        continue
        ;;
    *) run_args+=("$1") ;;
    esac
    shift
done
[ ${#run_args[@]} -gt 0 ] || usage "give a prompt: ./scripts/run.sh \"In the beginning\""

"$ASSAY_ROOT/scripts/setup.sh" >&2
choose_wasm_toolchain

if [ ! -x "$ASSAY_BIN/assay-node" ] || [ ! -x "$ASSAY_BIN/assay" ]; then
    say "building; the first time takes 20 to 30 minutes on two cores"
else
    say "building what has changed"
fi
# The same selection of packages as in test.sh, so that nothing is built twice.
(cd "$ASSAY_ROOT" && cargo build --locked --release --quiet --workspace) >&2 ||
    die "the build failed; see the messages above"

for model in ${fetches[@]+"${fetches[@]}"}; do
    # Its progress and its errors are on standard error.
    fetched=$("$ASSAY_BIN/assay" model fetch "$model" --json) || die "the model $model cannot be fetched"
    file=$(sed -n 's/.*"file":"\([^"]*\)".*/\1/p' <<<"$fetched")
    [ -f "$file" ] || die "the model $model is fetched, but there is no file $file"
    node_args+=(--model "$file")
done

folder=$(mktemp -d)
log="$folder/node.log"
node=

# Stops the node and removes what it wrote.
# shellcheck disable=SC2317  # called by the trap
cleanup() {
    trap '' INT TERM
    if [ -n "$node" ] && kill -0 "$node" 2>/dev/null; then
        kill "$node" 2>/dev/null || true
        # A node that does not stop in half a minute is stopped.
        local seconds=0
        while [ "$seconds" -lt "$STOP_SECONDS" ] && kill -0 "$node" 2>/dev/null; do
            sleep 1
            seconds=$((seconds + 1))
        done
        kill -9 "$node" 2>/dev/null || true
        wait "$node" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port of the loopback interface on which nothing listens, and that was not given out before.
next_port=$((20000 + RANDOM % 20000))
free_port() {
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do
        next_port=$((next_port + 1))
    done
    port=$next_port
    next_port=$((next_port + 1))
}
free_port && rpc_port=$port
free_port && p2p_port=$port
free_port && prometheus_port=$port

say "starting a development chain; its log, until this ends: $log"
"$ASSAY_BIN/assay-node" --dev --base-path "$folder/node" --rpc-port "$rpc_port" \
    --listen-addr "/ip4/127.0.0.1/tcp/$p2p_port" --prometheus-port "$prometheus_port" \
    ${node_args[@]+"${node_args[@]}"} >"$log" 2>&1 &
node=$!
export ASSAY_URL="ws://127.0.0.1:$rpc_port"
# A network name of its own, so that no setting of `assay config` applies, and the chain's own client
# signs, whatever key is named for other networks.
export ASSAY_NETWORK=run.sh
unset ASSAY_KEY_FILE ASSAY_SURI ASSAY_PASSPHRASE_FILE

# Waits for the node's RPC, or for the node's end. Looks once a second: `wait -n -p` is not everywhere.
"$ASSAY_BIN/assay" node status --wait "$START_SECONDS" >/dev/null 2>"$folder/wait.log" &
waiter=$!
while kill -0 "$waiter" 2>/dev/null && kill -0 "$node" 2>/dev/null; do
    sleep 1
done
kill -0 "$node" 2>/dev/null || kill "$waiter" 2>/dev/null || true
waited=0
wait "$waiter" || waited=$?
if [ "$waited" -ne 0 ]; then
    # Both may have ended within the same second.
    if ! kill -0 "$node" 2>/dev/null; then
        ended=0
        wait "$node" || ended=$?
        tail -n 30 "$log" >&2
        die "the node ended with code $ended before it answered; above is the end of its log"
    fi
    cat "$folder/wait.log" >&2
    tail -n 30 "$log" >&2
    die "the node did not answer within $START_SECONDS seconds; above is the end of its log"
fi

code=0
"$ASSAY_BIN/assay" run "${run_args[@]}" || code=$?
if [ "$code" -eq 1 ] && ! kill -0 "$node" 2>/dev/null; then
    tail -n 30 "$log" >&2
    say "the node has ended; above is the end of its log"
fi
if [ "$keep" = yes ]; then
    say "the node goes on at $ASSAY_URL until Ctrl-C; its log is $log"
    wait "$node" || true
fi
exit "$code"
