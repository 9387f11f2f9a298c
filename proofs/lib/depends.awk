# What the proof of each function of a C file depends on.
#
#   awk -f strip.awk each of HEADER... FILE.c | awk -v into=DIR -f depends.awk
#
# Writes DIR/FUNCTION for each function defined: every macro, type, constant and
# predicate there is, its own contract and body, and the contracts of the
# functions it names.  Bodies and contracts of others are left out, for no proof
# of it sees them.

# Notes the text read so far, of a function or of anything else.
function others()
{
    common = common pending
    pending = ""
}

function name_in(head,   bare)
{
    bare = head
    gsub(/\/\*@([^*]|\*+[^*\/])*\*+\//, "", bare)
    gsub(/\/\/@[^\n]*/, "", bare)
    if (bare ~ /(^|[^a-z_])(typedef|=)/ || !match(bare, /[A-Za-z_][A-Za-z_0-9]*[ \t\n]*\(/))
        return ""
    bare = substr(bare, RSTART, RLENGTH - 1)
    gsub(/[ \t\n]/, "", bare)
    return bare
}

function clause(comment)
{
    return comment ~ /(^|[^a-z_])(requires|ensures|assigns|terminates)[^a-z_]/
}

# At the ; of a declaration or the { of a definition, outside of all braces.
function head_ends(mark,   name)
{
    name = name_in(pending)
    if (name == "") {
        others()
        return ""
    }
    head[name] = head[name] pending mark
    pending = ""
    return name
}

function split_up(text,   found, end, depth, inside)
{
    while (match(text, /\/\*@|\/\/@|"([^"\\\n]|\\.)*"|'([^'\\\n]|\\.)+'|[{};]/)) {
        found = substr(text, RSTART, RLENGTH)
        pending = pending substr(text, 1, RSTART - 1)
        text = substr(text, RSTART)
        if (found == "/*@" || found == "//@") {
            end = found == "/*@" ? index(text, "*/") + 1 : index(text "\n", "\n") - 1
            found = substr(text, 1, end)
            if (depth == 0 && !clause(found)) {
                common = common found "\n"
                found = ""
            }
            pending = pending found
            text = substr(text, end + 1)
            continue
        }
        text = substr(text, length(found) + 1)
        if (found == "{" && depth++ == 0) {
            inside = head_ends("")
            pending = pending found
            continue
        }
        if (found == "}" && --depth == 0) {
            pending = pending found
            if (inside != "") {
                body[inside] = pending
                pending = ""
            }
            inside = ""
            continue
        }
        pending = pending found
        if (found == ";" && depth == 0) {
            sub(/;$/, "", pending)
            head_ends(";")
        }
    }
    pending = pending text
    others()
}

# what only C++ sees
/^#ifdef __cplusplus/ { cplusplus = 1 }
cplusplus {
    cplusplus = !/^#endif/
    next
}
continued || /^[ \t]*#/ {
    continued = /\\$/
    common = common $0 "\n"
    next
}
{ all = all $0 "\n" }

END {
    split_up(all)
    for (f in body) {
        text = head[f] body[f]
        printf "%s%s\n", common, text >(into "/" f)
        split("", seen)
        while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
            name = substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
            if (name != f && (name in head) && !(name in seen)) {
                seen[name] = 1
                printf "%s\n", head[name] >(into "/" f)
            }
        }
        close(into "/" f)
    }
}
