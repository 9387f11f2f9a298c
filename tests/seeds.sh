#!/bin/sh
# Every harness over its committed seeds, once: what fuzzing has found stays found.
# Needs no fuzzer; prints results like every test.
cc=${CC:-cc}
out=build/seeds
passed=0
failed=0
mkdir -p "$out"

sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all'
# shellcheck disable=SC2086
echo 'int main(void) { return 0; }' | $cc $sanitize -x c - -o "$out/probe" 2>/dev/null || sanitize=

grep -v '^#' fuzz/harnesses >"$out/harnesses"
while IFS='|' read -r name sources flags; do
    name=$(echo "$name" | tr -d ' ')
    # shellcheck disable=SC2086
    if $cc -std=c11 -O0 -g -w $sanitize -Isrc -Ifuzz $flags $sources -o "$out/$name" >"$out/log" 2>&1 &&
        timeout 60 "$out/$name" fuzz/seeds/"$name"/* >"$out/log" 2>&1; then
        echo "ok   $name over $(find "fuzz/seeds/$name" -type f | wc -l) seeds"
        passed=$((passed + 1))
    else
        echo "FAIL $name over its seeds"
        grep -E 'error|ERROR|VIOLATION|violated' "$out/log" | head -n 5 | sed 's/^/    /'
        failed=$((failed + 1))
    fi
done <"$out/harnesses"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
