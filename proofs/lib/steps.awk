# What the goals of one function took, from what Frama-C printed when it proved
# the whole file: the provers, and the steps of the slowest goal.  Nothing when a
# goal stayed open, or another prover than CVC4 was needed.
#
#   awk -v wanted=tn_ring_put -f steps.awk LOG
/^\[rte:annot\] annotating function / { defined[$NF] = 1; next }

# The smoke tests come after: their goals say nothing.
/^\[wp\] Running WP plugin/ && ++pass > 1 { exit }

/^\[wp\] \[[^]]*\] Goal typed_/ {
    goal = $0
    sub(/^.* Goal typed_/, "", goal)
    sub(/ .*/, "", goal)
    best = ""
    for (f in defined)
        if (index(goal, f "_") == 1 && length(f) > length(best))
            best = f
    if (best != wanted)
        next
    goals++
    sub(/ \(cached\)$/, "")
    if ($0 !~ / : Valid/ || $0 !~ /^\[wp\] \[(Qed|CVC4[^]]*)\]/)
        other = 1
    if (match($0, /\([0-9]+\)$/)) {
        n = substr($0, RSTART + 1, RLENGTH - 2) + 0
        if (n > steps)
            steps = n
    }
}

END {
    if (goals && !other)
        print "cvc4", steps + 0
}
