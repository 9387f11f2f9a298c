#!/bin/sh
# Can the kit be dropped into any program?  Checks what README.md promises to
# embedders, with the plain compiler and nm; prints results like every test.
cc=${CC:-cc}
strict='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Werror'
out=build/embed
passed=0
failed=0
mkdir -p "$out"
rm -rf "${out:?}"/*

# check NAME FILE: passes when FILE, the complaints, is empty
check() {
    if [ -s "$2" ]; then
        echo "FAIL $1"
        sed 's/^/    /' "$2" | head -n 20
        failed=$((failed + 1))
    else
        echo "ok   $1"
        passed=$((passed + 1))
    fi
}

# try NAME COMMAND...: passes when COMMAND succeeds without a word
try() {
    name=$1
    shift
    "$@" >"$out/log" 2>&1 || echo "exit status $?" >>"$out/log"
    check "$name" "$out/log"
}

sources=$(ls src/core/*.c src/os/*.c src/poll/*.c src/serve/*.c src/dispatch/*.c 2>/dev/null)
headers=$(ls src/tenon.h src/*/*.h 2>/dev/null | grep -v '^src/cli/')
# What an embedding program includes, and all that this brings with it.
offered="src/tenon.h $(sed -n 's|^#include "\(.*\)"|src/\1|p' src/tenon.h)"
public=$($cc -MM -Isrc src/tenon.h | tr -d '\\' | tr ' ' '\n' | grep '^src/')

for example in tests/examples/*.c; do
    [ -e "$example" ] || continue
    # shellcheck disable=SC2086
    try "one command builds $example without a warning" \
        $cc $strict -Isrc $sources "$example" -o "$out/$(basename "$example" .c)"
done

# Each event model may be the only one.
for model in EPOLL EPOLL_ET POLL SELECT POLLING; do
    others=$(printf -- '-DTN_WITHOUT_%s\n' EPOLL EPOLL_ET POLL SELECT POLLING | grep -v "_$model\$")
    # shellcheck disable=SC2086
    try "a build of $model alone compiles without a warning" \
        $cc $strict $others -Isrc $sources tests/examples/echo.c -o "$out/alone"
done

for source in $sources; do
    object=$out/$(echo "$source" | tr / _ | sed 's/c$/o/')
    freestanding=
    case $source in src/core/*) freestanding=-ffreestanding ;; esac
    # shellcheck disable=SC2086
    $cc $strict $freestanding -fno-pic -fno-pie -O2 -Isrc -c "$source" -o "$object" >>"$out/compile.txt" 2>&1
done
touch "$out/compile.txt"
check 'every module compiles alone, core also freestanding' "$out/compile.txt"

for object in "$out"/src_*.o; do
    [ -e "$object" ] || continue
    nm "$object" | sed "s|^|$(basename "$object" .o) |"
done >"$out/symbols"
[ -s "$out/symbols" ] || echo 'src_none - T no_object_was_built' >"$out/symbols"

# nm prints "address type name", or "type name" for what is undefined
awk '$1 ~ /^src_core_/ && $2 == "U" && $3 !~ /^(mem(cpy|move|set)$|tn_)/ {
        print $1 " needs " $3 }' "$out/symbols" >"$out/needs"
check 'core needs nothing but memcpy, memmove and memset' "$out/needs"

awk '$3 ~ /^[BbDdCGgSsVv]$/ { print $1 " has the variable " $4 }' "$out/symbols" >"$out/state"
check 'no module has global mutable state' "$out/state"

awk '$3 ~ /^[A-Z]$/ && $3 != "U" && $4 !~ /^tn_/ { print $1 " defines " $4 }' \
    "$out/symbols" >"$out/names"
check 'every global symbol begins with tn_' "$out/names"

grep -LE '^#ifndef (TN_[A-Z0-9_]+|TENON)_H|^#pragma once' $headers >"$out/guards" 2>/dev/null
check 'every header has an include guard' "$out/guards"

for header in $headers; do
    # shellcheck disable=SC2086
    echo "#include \"${header#src/}\"" |
        $cc $strict -Isrc -fsyntax-only -x c - >>"$out/c-headers" 2>&1
done
touch "$out/c-headers"
check 'every header compiles alone in C' "$out/c-headers"

cxx=
for c in "${CXX:-c++}" g++ clang++; do
    if command -v "$c" >/dev/null 2>&1; then
        cxx=$c
        break
    fi
done
if [ -n "$cxx" ]; then
    for header in $public; do
        echo "#include \"${header#src/}\"" |
            $cxx -std=c++17 -Wall -Wextra -Werror -Isrc -fsyntax-only -x c++ - \
                >>"$out/cxx-headers" 2>&1
    done
    touch "$out/cxx-headers"
    check 'every public header compiles alone in C++' "$out/cxx-headers"
    # Without C linkage a C++ program would compile and then fail to link.
    for header in $offered; do
        grep -q '^[a-z].*[ *]tn_[a-z0-9_]*(' "$header" || continue
        grep -q 'extern "C"' "$header" || echo "$header has no extern \"C\""
    done >"$out/linkage"
    check 'every header of tenon.h gives its functions C linkage' "$out/linkage"
else
    echo 'no C++ compiler: headers not tried in C++ (apt-get install g++)'
fi

# The sources share one file there, so no two may use a static name twice.
ci/dist "$out/dist" >"$out/dist.log" 2>&1 && : >"$out/dist.log"
check 'the two files of make dist compile' "$out/dist.log"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
