# Lists the functions declared or defined in C files, one a line:
#   name <TAB> file <TAB> "def" or "decl" <TAB> contract? <TAB> requires? <TAB> claim
#   <TAB> theorems
# where the claim is the first sentence of the prose above the contract and the
# theorems are the names of its ensures clauses.

function trimmed(s)
{
    gsub(/[ \t\n]+/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    return s
}

# The first sentence of a comment, on one line.
function claim_of(comment,   s)
{
    s = comment
    sub(/^\/\*+/, "", s)
    sub(/^\/\/+/, "", s)
    sub(/\*+\/$/, "", s)
    gsub(/\n[ \t]*\*/, "\n", s)
    gsub(/\n[ \t]*\/\//, "\n", s)
    sub(/^[ \t\n]+/, "", s)
    if (s ~ /^---/)
        return ""
    if (match(s, /\n[ \t]*\n/))
        s = substr(s, 1, RSTART - 1)
    gsub(/e\.g\./, "e\001g\001", s)
    gsub(/i\.e\./, "i\001e\001", s)
    if (match(s, /[^ .]\.([ \t\n]|$)/))
        s = substr(s, 1, RSTART)
    gsub(/\001/, ".", s)
    return trimmed(s)
}

function theorems_of(text,   names, name)
{
    names = ""
    while (match(text, /ensures[ \t\n]+[A-Za-z_][A-Za-z_0-9]*[ \t\n]*:/)) {
        name = substr(text, RSTART + 7, RLENGTH - 8)
        text = substr(text, RSTART + RLENGTH)
        names = names (names == "" ? "" : ", ") trimmed(name)
    }
    return names
}

function declaration_ends(kind,   head, name)
{
    head = declaration
    if (head !~ /^[ \t\n]*(typedef|struct [a-z_0-9]+[ \t\n]*$|enum)/ && match(head, /[A-Za-z_][A-Za-z_0-9]*[ \t\n]*\(/) &&
        head !~ /=/) {
        name = trimmed(substr(head, RSTART, RLENGTH - 1))
        printf "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", name, file, kind, contract != "",
            contract ~ /requires/, prose, theorems_of(contract)
    }
    declaration = ""
    contract = ""
    prose = ""
}

function comment_ends(comment)
{
    if (depth > 0)
        return
    if (comment ~ /^\/[*\/]@/) {
        # a block of predicates stands by itself; only clauses are a contract
        if (comment ~ /(requires|ensures|assigns|terminates)[ \t\n]/)
            contract = contract comment
    } else if (trimmed(declaration) == "") {
        prose = claim_of(comment)
    }
}

function scan(text,   found, end)
{
    depth = 0
    declaration = contract = prose = ""
    while (match(text, /\/\*|\/\/|"([^"\\\n]|\\.)*"|'([^'\\\n]|\\.)+'|[{};]/)) {
        found = substr(text, RSTART, RLENGTH)
        if (depth == 0)
            declaration = declaration substr(text, 1, RSTART - 1)
        text = substr(text, RSTART)
        if (found == "/*") {
            end = index(text, "*/")
            if (!end)
                return
            comment_ends(substr(text, 1, end + 1))
            text = substr(text, end + 2)
        } else if (found == "//") {
            end = index(text, "\n")
            if (!end)
                return
            comment_ends(substr(text, 1, end - 1))
            text = substr(text, end)
        } else {
            text = substr(text, length(found) + 1)
            if (found == "{") {
                if (depth++ == 0)
                    declaration_ends("def")
            } else if (found == "}") {
                depth--
                declaration = ""
            } else if (found == ";" && depth == 0) {
                declaration_ends("decl")
            }
        }
    }
}

FNR == 1 && NR > 1 { scan(all) ; all = "" }
FNR == 1 { file = FILENAME; cplusplus = 0; continued = 0 }
/^#[ \t]*ifdef[ \t]+__cplusplus/ { cplusplus = 1 }
continued || /^[ \t]*#/ {
    continued = /\\$/
    if (/^#[ \t]*endif/)
        cplusplus = 0
    all = all "\n;\n"
    next
}
{ all = all (cplusplus ? "" : $0) "\n" }
END { scan(all) }
