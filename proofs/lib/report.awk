# One line per function, grouped by file, then the totals.  A function passes
# when no gate names it; a gate that names only a file counts as one failure.

function claim_for(file, name,   f)
{
    if ((file, name) in claim)
        return claim[file, name]
    if (name in public_claim)
        return public_claim[name]
    return ((file, name) in in_c) ? "(no claim is written above it)" : "(a step of the proof, no code)"
}

part == "claims" {
    in_c[$2, $1] = 1
    if ($6 != "") {
        claim[$2, $1] = $6
        if ($2 ~ /\.h$/)
            public_claim[$1] = $6
    }
    next
}

part == "floors" {
    if (split($0, w, " ") == 3 && $0 !~ /^#/)
        floor[w[1], w[2]] = w[3]
    next
}

part == "gates" {
    if ($4 == "-")
        file_gates++
    else
        failing[$3, $4] = 1
    next
}

$1 == "F" {
    files[$2] = 1
    n = ++count[$2]
    row[$2, n] = $0
    next
}

$1 == "L" {
    lemmas[$2] = sprintf("  %d lemmas proved of %d", $5, $4)
    goals += $4
    proved += $5
    next
}

END {
    n = 0
    for (f in files) {
        for (i = ++n; i > 1 && order[i - 1] > f; i--)
            order[i] = order[i - 1]
        order[i] = f
    }
    for (k = 1; k <= n; k++) {
        f = order[k]
        print f
        for (i = 1; i <= count[f]; i++) {
            split(row[f, i], c, "\t")
            mark = "  "
            if ((f, c[3]) in failing) {
                mark = "! "
                failed++
                delete failing[f, c[3]]
            } else
                passed++
            goals += c[4]
            proved += c[5]
            smokes += c[6]
            if (c[7] + 0 > slowest + 0)
                slowest = c[7]
            text = claim_for(f, c[3])
            if (length(text) > 96)
                text = substr(text, 1, 93) "..."
            printf "%s%s  %s  goals %d/%d (floor %s)  smoke %d  slowest %.1f s\n", mark, c[3], text,
                c[5], c[4], ((f, c[3]) in floor) ? floor[f, c[3]] : "none", c[6], c[7]
        }
        if (f in lemmas)
            print lemmas[f]
    }
    for (g in failing)
        failed++
    failed += file_gates
    printf "\n%d functions in %d files: %d of %d goals proved, %d smoke tests, slowest %.1f s of %d s\n",
        passed + failed - file_gates, n, proved, goals, smokes, slowest, limit
    printf "COUNT %d %d\n", passed, failed
}
