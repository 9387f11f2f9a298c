# The functions of a source that call something which is not proved to end with
# what its contract says: a function whose contract is assumed, one that may not
# end, a macro.  One name a line.
#
#   awk -v source=FILE -v assumed=REGEX -f proofs/lib/assumed.awk HEADER... FILE
#
# assumed: the headers whose contracts are.  Relies on clang-format's layout: what
# is at file scope begins in the first column, and a function ends with a brace
# there.

# Notes what the contract above says of the function that is declared here.
function declare(name) {
    known[name] = 1
    if (FILENAME ~ assumed || unending)
        doubtful[name] = 1
    if (FILENAME == source)
        here[name] = 1
    unending = 0
}

FNR == 1 { contract = unending = 0; body = "" }

# what the provers do not see
/^#ifndef __FRAMAC__/ { hidden = 1 }
/^#endif/ { hidden = 0 }
hidden { next }

# comments: only whether a contract says that its function may not end
{
    line = $0
    code = ""
    while (line != "") {
        if (inside) {
            end = index(line, "*/")
            text = end ? substr(line, 1, end + 1) : line
            line = end ? substr(line, end + 2) : ""
            if (contract && text ~ /terminates[ ]+\\false/)
                unending = 1
            inside = !end
        } else if (match(line, /\/[*\/]/)) {
            code = code substr(line, 1, RSTART - 1)
            line = substr(line, RSTART)
            if (line ~ /^\/\//)
                line = ""
            else {
                contract = line ~ /^\/\*@/
                if (contract && body == "")
                    unending = 0
                inside = 1
                # step over the opening, or "/*/" would close it
                line = substr(line, 3)
            }
        } else {
            code = code line
            line = ""
        }
    }
}

body == "" && code ~ /^[A-Za-z_].*\(/ && code !~ /^#/ {
    name = code
    sub(/\(.*/, "", name)
    sub(/.*[^A-Za-z_0-9]/, "", name)
    head = name
    declare(name)
    next
}
code ~ /^{/ && head != "" { body = head; next }
code ~ /^}/ { body = head = ""; next }
body != "" && FILENAME == source {
    while (match(code, /[A-Za-z_][A-Za-z_0-9]*[ ]*\(/)) {
        name = substr(code, RSTART, RLENGTH - 1)
        code = substr(code, RSTART + RLENGTH)
        gsub(/ /, "", name)
        if (name !~ /^(if|while|for|switch|return|sizeof)$/)
            calls[body] = calls[body] " " name
    }
    defined[body] = 1
}

END {
    for (f in defined) {
        n = split(calls[f], callee, " ")
        for (i = 1; i <= n; i++)
            if (!(callee[i] in known) || callee[i] in doubtful || \
                (callee[i] in here) && !(callee[i] in defined)) {
                print f
                break
            }
    }
}
