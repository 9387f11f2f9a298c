# Draws CLAIMS.md and not-proved.txt as one SVG: a bar for each module, as long
# as it has goals; what is not proved stands below, with an empty bar.
#
#   awk -f svg.awk CLAIMS.md not-proved.txt >report.svg

function escaped(s)
{
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    return s
}

function row(name, width, fill, text)
{
    y += 20
    body = body sprintf("<text x=\"230\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y, escaped(name))
    body = body sprintf("<rect x=\"240\" y=\"%d\" width=\"%.0f\" height=\"12\" fill=\"%s\" stroke=\"#2a6\"/>\n",
        y - 10, width, fill)
    body = body sprintf("<text x=\"%.0f\" y=\"%d\">%s</text>\n", 250 + width, y, escaped(text))
}

FILENAME == ARGV[1] && / goals proved/ { total = $0 }
FILENAME == ARGV[1] && /^## (src|proofs)\// { file = $2; names[++files] = file; next }
FILENAME == ARGV[1] && /^## / { file = "" }
FILENAME == ARGV[1] && file != "" && /^\| `/ {
    # a | inside a cell is escaped
    gsub(/\\\|/, "")
    n = split($0, cell, / *\| */)
    functions[file]++
    goals[file] += cell[n - 1]
    theorems[file] += split(cell[n - 2], t, ", ")
    if (goals[file] > most)
        most = goals[file]
}
FILENAME == ARGV[2] && !/^#/ && NF { open_files[++opens] = $1 }

END {
    if (!files)
        exit 1
    y = 40
    for (i = 1; i <= files; i++) {
        f = names[i]
        row(f, goals[f] * 360 / most, "#2a6",
            goals[f] " goals, " functions[f] " functions, " theorems[f] " theorems")
    }
    for (i = 1; i <= opens; i++)
        row(open_files[i], 30, "none", "not proved")
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"880\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", y + 20
    printf "<rect width=\"880\" height=\"%d\" fill=\"#fff\"/>\n", y + 20
    printf "<text x=\"20\" y=\"24\" font-size=\"14\">%s</text>\n%s</svg>\n", escaped(total), body
}
