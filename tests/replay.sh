#!/bin/sh
# fuzz/replay over inputs that hold, inputs that a planted fault fails on, and
# arguments that are none.
passed=0
failed=0
out=build/replay
mkdir -p "$out"

# expect STATUS TEXT NAME ARGUMENT...: how it ends, and what its last line says
expect() {
    status=$1 text=$2 name=$3
    shift 3
    fuzz/replay "$@" >"$out/log" 2>&1
    got=$?
    if [ $got -eq "$status" ] && tail -n 1 "$out/log" | grep -q -e "$text"; then
        echo "ok   $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name: status $got, $(tail -n 1 "$out/log")"
        failed=$((failed + 1))
    fi
}

# The length in u32's bytes 3 to 6 is 1.
printf '\377\000\000\000\000\000\001x' >"$out/input"
expect 0 '^ok frame_u32: ' 'an input that holds says so' frame_u32 "$out/input"
expect 2 'in no harness' 'an input from elsewhere needs the name of its harness' "$out/input"
expect 2 'no such file' 'a file that is none is refused' "$out/none"
expect 2 'takes a number' 'a seed that is no number is refused' --seed x
expect 2 'has no seeds' 'a decoder has no seeds' frame_u32 --seed 1

# Every u32 frame is written to be one byte longer than its payload.
rm -rf "$out/src"
cp -R src "$out/src"
sed '/^int32_t tn_u32_encode/,/^}/s|(uint8_t)(len % 256u)|(uint8_t)(len % 256u + 1)|' \
    src/core/frame_u32.c >"$out/src/core/frame_u32.c"
export SRC="$out/src"
expect 1 '^FAILED frame_u32: .*: violated: ' 'an input that a wrong decoder fails on names the check' \
    frame_u32 "$out/input"
mkdir -p build/fuzz/out/frame_u32/found
cp "$out/input" build/fuzz/out/frame_u32/found/kept
expect 1 '^FAILED frame_u32: ' 'the harness follows from where the input lies' \
    build/fuzz/out/frame_u32/found/kept
rm build/fuzz/out/frame_u32/found/kept
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
