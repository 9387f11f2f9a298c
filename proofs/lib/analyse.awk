# Judges the run of Frama-C over one file.
#
# Reads, in this order and told apart by the variable `part` set between them:
#   contracts   what contracts.awk says of the file and its headers
#   warnings    unsound-warnings.txt
#   harmless    harmless-warnings.txt
#   reasons     reasons.txt
#   json        WP's report, one token a line: which smoke test is whose
#   csv         the statuses of all properties, from the report plug-in
#   log         what Frama-C printed
# and prints, one a line and separated by tabs:
#   F file function goals proved smoke slowest   a function that is proved here
#   W file function goal seconds                    a goal that takes a second or more
#   S file function goal seconds                    one that takes a third of its limit
#   L file lemmas goals proved                     the lemmas it relies on
#   E file function where                          a contract it relies on
#   G gate file function detail                    a gate that fails

function gate(name, fn, detail)
{
    gsub(/[\t\n]/, " ", detail)
    if (!((name, fn, detail) in told))
        printf "G\t%s\t%s\t%s\t%s\n", name, source, fn, detail
    told[name, fn, detail] = 1
}

# "12ms", "1.5s", "1'05s" in seconds
function seconds(s,   minutes)
{
    minutes = 0
    if (match(s, /^[0-9]+'/)) {
        minutes = substr(s, 1, RLENGTH - 1)
        s = substr(s, RLENGTH + 1)
    }
    if (s ~ /ms$/)
        return (s + 0) / 1000
    if (s ~ /us$/)
        return 0
    return minutes * 60 + s
}

# The function a goal belongs to: the longest of the file's functions with
# which the goal's name begins and after which a clause's name follows.
function owner(goal,   f, rest, best)
{
    best = ""
    for (f in defined)
        if (substr(goal, 1, length(f) + 1) == f "_") {
            rest = substr(goal, length(f) + 2)
            if (length(f) > length(best) &&
                rest ~ /^(ensures|requires|assigns|assert|call|loop|check|terminates|exits|variant|wp_smoke|decreases|complete|disjoint|stmt|assumes|wp_typed|[a-z_0-9]*_(ensures|requires|assigns))/)
                best = f
        }
    return best
}

function warning(text,   i, known)
{
    known = 0
    for (i = 1; i <= warnings; i++)
        if (text ~ warning_re[i]) {
            # the second pass finds nothing left to do when the first did it all
            if (text ~ /No goal generated/ && pass > 1)
                return
            gate(warning_gate[i], "-", text)
            return
        }
    for (i = 1; i <= harmless; i++)
        if (text ~ harmless_re[i])
            return
    gate("warning", "-", text)
}

function end_of_message()
{
    if (message ~ /Warning:|[Ee]rror|Degenerated|Failure|Abort/)
        warning(message)
    message = ""
}

/^#/ && (part == "warnings" || part == "harmless" || part == "reasons") { next }

part == "contracts" {
    split($0, c, "\t")
    if (c[4])
        contract[c[1]] = 1
    if (c[5])
        requires[c[1]] = 1
    next
}

part == "warnings" && NF { split($0, c, "\t"); warning_gate[++warnings] = c[1]; warning_re[warnings] = c[2]; next }
part == "harmless" && NF { split($0, c, "\t"); harmless_re[++harmless] = c[1]; next }
part == "reasons" && NF { excused[$1, $2] = 1; next }

part == "json" {
    if ($0 == "{") {
        path[++level] = key
        next
    }
    if ($0 == "}") {
        level--
        next
    }
    split($0, c, "\"")
    key = c[2]
    value = c[3]
    sub(/^:/, "", value)
    # path: 1 the whole, 2 a section, 3 a function, 4 a goal, 5 who proved it
    if (level != 5 || path[5] != "wp:main" || path[4] == "wp:section" || value == "")
        next
    if (path[2] == "wp:functions" && path[4] ~ /_wp_smoke_/) {
        if (key == "total") smoke[path[3]] += value
        if (key == "total") smokes += value
    }
    next
}

part == "csv" {
    # directory, file, line, function, kind, status, property
    split($0, c, "\t")
    if (c[1] == "directory")
        next
    properties++
    where = (c[1] == "." ? "" : c[1] "/") c[2]
    if (c[5] == "assigns clause") has_assigns[c[4]] = 1
    if (c[5] == "termination clause" && c[7] == "\\true") has_terminates[c[4]] = 1
    if (c[6] == "Considered valid") {
        if (c[5] == "user hypothesis")
            gate("admit", c[4], where ":" c[3] ": " c[7])
        else
            relied[c[4]] = where
    } else if (c[6] != "Valid") {
        # a smoke test is an assertion of \false; its gate is in the log
        if (c[7] != "\\false" || c[5] != "user assertion")
            open_property[++open_properties] = c[4] "\t" where ":" c[3] ": " c[5] " is " tolower(c[6]) ": " c[7]
    }
    next
}

part == "log" {
    if ($0 !~ /^ /)
        end_of_message()
    if (/^\[(report|kernel)\] Dumping/)
        next
    if (/^\[wp\] Running WP plugin/)
        pass++
    if (/^\[rte:annot\] annotating function /) {
        defined[$NF] = 1
        next
    }
    if (/^\[wp\] \[CFG\] Goal /) {
        if (pass == 1) {
            cfg[++cfgs] = $4 "\t" $0
        }
        next
    }
    if (/^\[wp\] \[[^]]*\] (Goal|Smoke-test) /) {
        line = $0
        sub(/^\[wp\] \[[^]]*\] /, "", line)
        split(line, c, " ")
        name = c[2]
        if (name !~ /^typed_/)
            gate("model", "-", "a goal of another memory model: " name)
        if (c[1] == "Smoke-test") {
            tested++
            if ($0 ~ /\[Failed\]/)
                gate("smoke", "-", "a contradiction or dead code: " substr(name, 7))
            next
        }
        # once proved is proved: the second pass tries again what is still open
        goal = substr(name, 7)
        if (!(goal in valid))
            valid[goal] = 0
        if (line ~ / : Valid/) {
            valid[goal] = 1
            # what the limit is for: the prover's time, not the simplifier's
            time = 0
            rest = line
            while ($0 !~ /^\[wp\] \[Qed\]/ && match(rest, /\([0-9.']+[mu]?s\)/)) {
                piece = substr(rest, RSTART + 1, RLENGTH - 2)
                rest = substr(rest, RSTART + RLENGTH)
                time += seconds(piece)
            }
            goal_time[goal] = time
        }
        next
    }
    if (/^\[wp\] Proved goals: /) {
        if (pass == 1)
            split($0, announced, /[:\/]/)
        next
    }
    if (/^\[(wp|kernel|rte)[^]]*\]/)
        message = $0
    else if (/^ / && message != "")
        message = message " " $0
    next
}

END {
    end_of_message()
    goals = 0
    for (i = 1; i <= cfgs; i++) {
        split(cfg[i], c, "\t")
        goals++
        fn = owner(c[1])
        total[fn]++
        if (c[1] ~ /_exits$/) has_exits[fn] = 1
        if (cfg[i] ~ / : Valid/)
            proved[fn]++
        else
            gate("open", fn, c[1])
    }
    for (goal in valid) {
        goals++
        if (goal ~ /^lemma_/) {
            fn = "lemmas"
            lemmas++
            lemmas_proved += valid[goal]
            if (!valid[goal])
                gate("lemma", "-", "not proved: " goal)
        } else {
            fn = owner(goal)
            if (fn == "")
                gate("accounts", "-", "a goal of no function: " goal)
            total[fn]++
            proved[fn] += valid[goal]
            if (!valid[goal])
                gate("open", fn, goal)
            if (goal ~ /_exits/) has_exits[fn] = 1
            if (goal ~ /_ensures/) has_ensures[fn] = 1
        }
        if (goal_time[goal] > slowest[fn])
            slowest[fn] = goal_time[goal]
        if (goal_time[goal] >= 1)
            printf "W\t%s\t%s\t%s\t%.1f\n", source, fn, goal, goal_time[goal]
        if (goal_time[goal] > limit / 3)
            printf "S\t%s\t%s\t%s\t%.1f\n", source, fn, goal, goal_time[goal]
    }
    if (properties > 0 && goals != announced[3] + 0)
        gate("accounts", "-", "Frama-C announced" announced[3] " goals and " goals " were counted")
    if (tested != smokes)
        gate("accounts", "-", tested + 0 " smoke tests ran and " smokes + 0 " were counted")
    functions = 0
    for (fn in defined) {
        functions++
        if (properties == 0) {
            printf "F\t%s\t%s\t%d\t%d\t%d\t%.2f\n", source, fn, total[fn], 0, 0, 0
            continue
        }
        if (!(fn in contract) && !(fn in has_assigns))
            gate("missing-contract", fn, "no contract stands above it")
        if (!(fn in has_assigns))
            gate("assigns", fn, "its contract has no assigns clause")
        if (!(fn in has_ensures) && !(("ensures", fn) in excused))
            gate("ensures", fn, "its contract has no ensures clause")
        if (!(fn in has_terminates) && !(("terminates", fn) in excused))
            gate("terminates", fn, "its contract does not say terminates \\true")
        if (!(fn in has_exits))
            gate("exits", fn, "its contract does not say exits \\false")
        if (smoke[fn] + 0 == 0 && (fn in requires) && !(("smoke-none", fn) in excused))
            gate("smoke-none", fn, "no smoke test was made for it")
        printf "F\t%s\t%s\t%d\t%d\t%d\t%.2f\n", source, fn, total[fn], proved[fn],
            smoke[fn], slowest[fn]
    }
    if (functions > 0 && properties == 0)
        gate("finished", "-", "Frama-C reported on no property: see its log")
    if (functions == 0)
        gate("nothing", "-", "Frama-C saw no function in it: see its log")
    for (i = 1; i <= open_properties; i++) {
        split(open_property[i], c, "\t")
        if (c[1] in defined || c[2] !~ /: (precondition|postcondition|assigns|from|termination)/)
            gate("status", c[1] == "" ? "-" : c[1], c[2])
    }
    for (fn in relied)
        if (!(fn in defined))
            printf "E\t%s\t%s\t%s\n", source, fn, relied[fn]
    if (lemmas > 0)
        printf "L\t%s\tlemmas\t%d\t%d\n", source, lemmas, lemmas_proved
}
