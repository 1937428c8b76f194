"""What bash loads to complete a line: words with `:` and `=` in them stay whole, and what has a space is quoted."""

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


def teach_typer() -> None:
    """Makes this the script that `--show-completion` and `--install-completion` give to bash."""
    _completion_shared._completion_scripts["bash"] = BASH  # noqa: SLF001 - there is no public place
