"""What a shell loads to complete a line: words with `:` and `=` in them stay whole, and what has a space is quoted."""

from __future__ import annotations

from typer import _completion_shared

# Typer's own script hands over the words as bash breaks them, and bash breaks them at : and = too; what it gets it
# inserts as it is. `before` is the part of the word that bash takes for earlier words and would not replace.
BASH = r"""
%(complete_func)s() {
    local line=${COMP_LINE:0:COMP_POINT} words=() before= word index
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ $index -eq 0 || $line == [[:space:]]* ]]; then
            words+=("$word") before=
        else
            before=${words[${#words[@]} - 1]}
            words[${#words[@]} - 1]+=$word
            [[ $word == [:=] ]] && before+=$word
        fi
        line=${line#"${line%%%%[![:space:]]*}"}
        line=${line#"$word"}
    done
    local current=${words[${#words[@]} - 1]}
    COMPREPLY=()
    while IFS= read -r word; do
        word=${word#"$before"}
        [[ $current == [\"\']* ]] || printf -v word %%q "$word"
        COMPREPLY+=("$word")
    done < <(env COMP_WORDS="$(printf '%%s\n' "${words[@]}")" COMP_CWORD=$((${#words[@]} - 1)) \
        %(autocomplete_var)s=complete_bash "$1")
    # Where a resource is wanted, a file of this folder is none.
    local previous=
    for word in "${words[@]:1}"; do
        [[ $word == -* || $previous == --database ]] || break
        previous=$word
    done
    [[ ${words[${#words[@]} - 2]} == --database ]] || case $word in
        history | actions | events | tree | status) compopt +o default 2>/dev/null ;;
    esac
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""


# Typer's own has zsh evaluate what the program prints, with a meaning for each colon in it. zsh knows best how a word
# is to be quoted; it needs the words alone, asked for in the way of bash.
ZSH = r"""
#compdef %(prog_name)s

%(complete_func)s() {
    local program=${(Q)words[1]} word
    local -a found
    found=("${(@f)$(env COMP_WORDS="${(pj:\n:)words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \
        %(autocomplete_var)s=complete_bash ${~program} 2>/dev/null)}")
    found=("${(@)found:#}")
    if (( $#found )); then
        [[ $words[CURRENT] == --*=* ]] && compset -P '*='
        compadd -- "${found[@]}"
        return
    fi
    # Where a resource is wanted, a file of this folder is none.
    if [[ $words[CURRENT-1] != --database ]]; then
        for word in "${(@)words[2,CURRENT-1]}"; do
            [[ $word == -* || $word == */* ]] || break
        done
        case $word in
            history | actions | events | tree | status) return 1 ;;
        esac
    fi
    _files
}

if [[ $funcstack[1] == _%(prog_name)s ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

# fish compares what is offered with the whole word, the option before a = too.
FISH = r"""
function %(complete_func)s
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l asked (string join \n -- (string escape -- $before) "$current" | string collect)
    set -l found (env COMP_WORDS="$asked" COMP_CWORD=(count $before) %(autocomplete_var)s=complete_bash \
        $before[1] 2>/dev/null | string match -v -- '')
    if test (count $found) -gt 0
        set -l option (string match -r -- '^--[^=]+=' "$current"); or set option ''
        printf '%%s\n' $option$found
        return
    end
    # Where a resource is wanted, a file of this folder is none.
    if test "$before[-1]" != --database
        for word in $before[2..-1]
            string match -q -- '-*' $word; or string match -q -- '*/*' $word; and continue
            contains -- $word history actions events tree status; and return
            break
        end
    end
    __fish_complete_path "$current"
end

complete --command %(prog_name)s --no-files --arguments "(%(complete_func)s)"
"""


def teach_typer() -> None:
    """Makes these the scripts that `--show-completion` and `--install-completion` give to the shells."""
    scripts = {"bash": BASH, "zsh": ZSH, "fish": FISH}
    _completion_shared._completion_scripts.update(scripts)  # noqa: SLF001 - there is no public place
