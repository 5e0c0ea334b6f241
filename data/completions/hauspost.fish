# fish completion for hauspost: asks the program itself, which knows ids and names too.
function __hauspost_complete
    set -l words (commandline -opc)
    $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c hauspost -f -a '(__hauspost_complete)'
complete -c hauspost -l json -d 'JSON'
complete -c hauspost -l plain -d 'separated by TABs'
complete -c hauspost -s q -l quiet
complete -c hauspost -s h -l help
