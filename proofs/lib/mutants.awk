# Small faults planted in the functions of a C file, one at a time.
#
#   awk -f mutants.awk FILE            lists them, one a line, separated by tabs:
#                                      number function line fault original mutated
#   awk -v apply=K -f mutants.awk FILE prints the file with the K-th in it
#
# Only code is touched: comments, and with them every contract and every ghost
# statement, stay as they are.

function keyword(t)
{
    return t ~ /^(if|else|while|for|do|switch|case|default|return|break|continue|goto|sizeof)$/
}

function identifier(t)
{
    return t ~ /^[A-Za-z_]/ && !keyword(t)
}

function operand_end(t)
{
    return identifier(t) || t ~ /^[0-9'"]/ || t == ")" || t == "]"
}

function add_token(t, offset)
{
    n++
    tok[n] = t
    at[n] = offset
    line[n] = NR
}

# Splits one line; in_comment and in_directive live on to the next.
function tokenise(s, offset,   end)
{
    if (!in_comment && (in_directive || s ~ /^[ \t]*#/)) {
        in_directive = s ~ /\\$/
        return
    }
    while (s != "") {
        if (in_comment) {
            end = index(s, "*/")
            if (!end)
                return
            in_comment = 0
            offset += end + 1
            s = substr(s, end + 2)
        } else if (match(s, /^[ \t]+/)) {
            offset += RLENGTH
            s = substr(s, RLENGTH + 1)
        } else if (s ~ /^\/\//) {
            return
        } else if (s ~ /^\/\*/) {
            in_comment = 1
            offset += 2
            s = substr(s, 3)
        } else {
            if (!match(s, /^([A-Za-z_][A-Za-z_0-9]*|[0-9][0-9A-Za-z]*|"([^"\\]|\\.)*"|'([^'\\]|\\.)+')/) &&
                !match(s, /^(<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*\/%&|^]=)/))
                RLENGTH = 1
            add_token(substr(s, 1, RLENGTH), offset)
            offset += RLENGTH
            s = substr(s, RLENGTH + 1)
        }
    }
}

function text_of(i, j)
{
    return substr(text, at[i], at[j] + length(tok[j]) - at[i])
}

function squeeze(s)
{
    gsub(/[ \t\n]+/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    return s
}

# Puts the text new in the place of the tokens i .. j.
function mutant(i, j, new, fault,   from, to, first, last)
{
    count++
    from = at[i]
    to = at[j] + length(tok[j])
    if (apply) {
        if (count == apply)
            printf "%s%s%s", substr(text, 1, from - 1), new, substr(text, to)
        return
    }
    for (first = from; first > 1 && substr(text, first - 1, 1) != "\n"; first--)
        ;
    last = to + index(substr(text, to), "\n") - 1
    printf "%d\t%s\t%d\t%s\t%s\t%s\n", count, func_name, line[i], fault,
        squeeze(substr(text, first, last - first)),
        squeeze(substr(text, first, from - first) new substr(text, to, last - to))
}

function value_of(digits,   v, i)
{
    if (digits !~ /^0[xX]/)
        return digits + 0
    for (i = 3; i <= length(digits); i++)
        v = v * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return v
}

function constant_faults(i,   digits, suffix, v)
{
    if (tok[i] ~ /^'/) {
        mutant(i, i, "(" tok[i] " + 1)", "constant")
        mutant(i, i, "(" tok[i] " - 1)", "constant")
        return
    }
    digits = suffix = tok[i]
    sub(/[uUlL]+$/, "", digits)
    sub(/^(0[xX])?[0-9a-fA-F]*/, "", suffix)
    v = value_of(digits)
    mutant(i, i, sprintf("%.0f%s", v + 1, suffix), "constant")
    # -1 would be killed by its conversion alone or, where the target is wider,
    # not at all: Frama-C has no check for that conversion.
    if (v > 0)
        mutant(i, i, sprintf("%.0f%s", v - 1, suffix), "constant")
}

function operator_faults(i,   k, list, new)
{
    if (!(tok[i] in swaps) || (tok[i] ~ /^[-+]$/ && !operand_end(tok[i - 1])))
        return
    k = split(swaps[tok[i]], list, " ")
    for (new = 1; new <= k; new++)
        mutant(i, i, list[new], "operator")
}

function negate(i, j)
{
    if (i <= j)
        mutant(i, j, "!(" text_of(i, j) ")", "negated")
}

# The condition before the ? at i begins after what binds weaker.
function ternary_fault(i,   k)
{
    for (k = i - 1; k > body; k--) {
        if (tok[k] == ")" || tok[k] == "]")
            k = partner[k]
        else if (tok[k] ~ /^([({\[,;?:=]|return|[-+*\/%&|^]=)$/)
            break
    }
    negate(k + 1, i - 1)
}

function condition_faults(i,   k, first, second)
{
    if (tok[i] == "?")
        ternary_fault(i)
    if (tok[i + 1] != "(")
        return
    if (tok[i] == "if" || tok[i] == "while")
        negate(i + 2, partner[i + 1] - 1)
    if (tok[i] == "for") {
        for (k = i + 2; k < partner[i + 1]; k++)
            if (tok[k] == ";") {
                if (!first)
                    first = k
                else
                    second = k
            }
        negate(first + 1, second - 1)
    }
}

function call_faults(i,   k, args, from, to)
{
    if (!identifier(tok[i]) || tok[i + 1] != "(" || partner[i + 1] == i + 2)
        return
    args = 1
    from[1] = i + 2
    for (k = i + 2; k < partner[i + 1]; k++) {
        if (tok[k] ~ /^[(\[{]$/)
            k = partner[k]
        else if (tok[k] == ",") {
            to[args++] = k - 1
            from[args] = k + 1
        }
    }
    to[args] = partner[i + 1] - 1
    for (k = 1; k < args; k++)
        mutant(from[k], to[k + 1], text_of(from[k + 1], to[k + 1]) ", " text_of(from[k], to[k]),
            "arguments")
}

function starts_declaration(i)
{
    return tok[i] ~ /^(struct|enum|const|static|unsigned|signed)$/ ||
        (identifier(tok[i]) && (identifier(tok[i + 1]) ||
                                (tok[i + 1] == "*" && identifier(tok[i + 2]))))
}

function statement_fault(i,   k)
{
    if (!(tok[i - 1] ~ /^([{};]|else|do)$/ || (i - 1) in ends_head) || nested[i])
        return
    if (tok[i] ~ /^([{};]|if|else|while|for|do|switch|case|default)$/ || starts_declaration(i))
        return
    for (k = i; tok[k] != ";"; k++)
        ;
    mutant(i, k, ";", "dropped")
}

# i .. j is an expression of a value: one more than it.
function one_more(i, j)
{
    if (i > j || (i == j && tok[i] ~ /^[0-9'"]/) || tok[i] == "{")
        return
    mutant(i, j, "(" text_of(i, j) ") + 1", "off by one")
}

# Where an expression that begins at i ends: before what closes or separates it.
function expression_end(i)
{
    for (; tok[i] !~ /^[;,)\]}]$/; i++)
        if (tok[i] ~ /^[(\[{]$/)
            i = partner[i]
    return i - 1
}

function off_by_one_faults(i,   k)
{
    if (tok[i] == "[")
        one_more(i + 1, partner[i] - 1)
    if (tok[i] == "=" || (tok[i] == "return" && tok[i + 1] != ";"))
        one_more(i + 1, expression_end(i + 1))
    if (tok[i] == "(" && identifier(tok[i - 1]))
        for (k = i + 1; k < partner[i]; k = expression_end(k) + 2)
            one_more(k, expression_end(k))
}

# Where the other kinds find few places, each value is also one too large.
function function_faults(end,   i, k, label, before)
{
    before = count
    split("", ends_head)
    label = 0
    for (i = body + 1; i < end; i++) {
        if (tok[i] ~ /^(if|while|for|switch)$/)
            ends_head[partner[i + 1]] = 1
        if (tok[i] ~ /^(case|default)$/)
            label = 1
        if (tok[i] == ":" && label) {
            label = 0
            ends_head[i] = 1
        }
    }
    for (i = body + 1; i < end; i++) {
        operator_faults(i)
        if (tok[i] ~ /^([0-9]|')/)
            constant_faults(i)
        condition_faults(i)
        call_faults(i)
        statement_fault(i)
    }
    if (count - before < 16)
        for (i = body + 1; i < end; i++)
            off_by_one_faults(i)
}

BEGIN {
    swaps["+"] = "-"
    swaps["-"] = "+"
    swaps["++"] = "--"
    swaps["--"] = "++"
    swaps["+="] = "-="
    swaps["-="] = "+="
    swaps["<"] = "<= >="
    swaps["<="] = "< >"
    swaps[">"] = ">= <="
    swaps[">="] = "> <"
    swaps["=="] = "!="
    swaps["!="] = "=="
    swaps["&&"] = "||"
    swaps["||"] = "&&"
    offset = 1
}

{
    text = text $0 "\n"
    tokenise($0, offset)
    offset += length($0) + 1
}

END {
    for (i = 1; i <= n; i++) {
        nested[i] = parens
        if (tok[i] ~ /^[(\[{]$/)
            stack[++depth] = i
        parens += (tok[i] == "(") - (tok[i] == ")")
        if (tok[i] ~ /^[)\]}]$/) {
            partner[i] = stack[depth]
            partner[stack[depth--]] = i
        }
    }
    for (i = 1; i <= n; i++) {
        if (tok[i] != "{")
            continue
        if (tok[i - 1] == ")") {
            body = i
            func_name = tok[partner[i - 1] - 1]
            function_faults(partner[i])
        }
        i = partner[i]
    }
}
