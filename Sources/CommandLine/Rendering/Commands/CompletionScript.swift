// SPDX-License-Identifier: Apache-2.0

/// What a shell runs to complete command lines: it asks `petrel __complete`, which knows commands, containers and images.
package enum CompletionScript {
    package static let shells = ["bash", "zsh", "fish"]

    /// Nil for a shell that is none of `shells`.
    package static func text(for shell: String) -> String? {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        default: nil
        }
    }

    /// `__complete` prints one candidate a line, help after a tab; the line `:files` asks for names of files.
    private static let bash = #"""
        # bash completion for petrel; load it with: source <(petrel completion bash)
        _petrel() {
            local current=${COMP_WORDS[COMP_CWORD]} words=() line
            # A value after = or : is a word of its own to bash, and part of one to petrel.
            local typed=${COMP_LINE:0:COMP_POINT}
            read -r -a words <<<"$typed"
            [[ $typed == *[[:space:]] ]] && words+=("")
            local whole=${words[${#words[@]} - 1]} prefix=
            [[ $whole == *[:=]* && $whole != "$current" ]] && prefix=${whole%"$current"}
            [[ $current == [=:] ]] && prefix=$whole && current=
            COMPREPLY=()
            while IFS= read -r line; do
                if [[ $line == :files ]]; then
                    compopt -o filenames 2>/dev/null
                    local file
                    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
                    continue
                fi
                line=${line%%$'\t'*}
                line=${line#"$prefix"}
                [[ $line == *= || $line == *: ]] && compopt -o nospace 2>/dev/null
                COMPREPLY+=("$line")
            done < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
        }
        complete -F _petrel petrel

        """#

    private static let zsh = #"""
        #compdef petrel
        # zsh completion for petrel; put it into a file called _petrel in a folder of $fpath, or: source <(petrel completion zsh)
        _petrel() {
            local line word
            local -a described
            while IFS= read -r line; do
                if [[ $line == :files ]]; then
                    _files
                    continue
                fi
                word=${line%%$'\t'*}
                if [[ $line == *$'\t'* ]]; then
                    described+=("${word//:/\\:}:${line#*$'\t'}")
                else
                    described+=("${word//:/\\:}")
                fi
            done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
            (( ${#described} )) && _describe -V petrel described
        }
        if [[ ${funcstack[1]} == _petrel ]]; then
            _petrel "$@"
        else
            (( $+functions[compdef] )) && compdef _petrel petrel
        fi

        """#

    private static let fish = #"""
        # fish completion for petrel; load it with: petrel completion fish | source
        function __petrel_complete
            set -l words (commandline -opc) (commandline -ct)
            set -l program $words[1]
            set -e words[1]
            for line in ($program __complete -- $words 2>/dev/null)
                if test "$line" = ":files"
                    __fish_complete_path (commandline -ct)
                else
                    echo $line
                end
            end
        end
        complete -c petrel -f -a '(__petrel_complete)'

        """#
}
