# bash completion for hauspost: asks the program itself, which knows ids and names too.
_hauspost() {
    local cur=${COMP_WORDS[COMP_CWORD]}
    case $cur in
        -*) COMPREPLY=($(compgen -W '--json --plain --quiet --verbose --yes --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "$cur")) ;;
    esac
}
complete -o default -F _hauspost hauspost
