# Prints C text without the comments that are prose: code and contracts stay,
# line for line.  What remains decides whether a proof must be done again.
{
    line = $0
    out = ""
    while (line != "") {
        if (inside != "") {
            end = index(line, "*/")
            piece = end ? substr(line, 1, end + 1) : line
            if (inside == "acsl")
                out = out piece
            line = end ? substr(line, end + 2) : ""
            if (end)
                inside = ""
            continue
        }
        if (!match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'([^'\\]|\\.)+'/)) {
            out = out line
            break
        }
        found = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        if (found == "//") {
            if (substr(line, RSTART + 2, 1) == "@")
                out = out substr(line, RSTART)
            break
        }
        if (found == "/*") {
            inside = substr(line, RSTART + 2, 1) == "@" ? "acsl" : "prose"
            if (inside == "acsl")
                out = out "/*"
            line = substr(line, RSTART + 2)
            continue
        }
        out = out found
        line = substr(line, RSTART + RLENGTH)
    }
    sub(/[ \t]+$/, "", out)
    print out
}
