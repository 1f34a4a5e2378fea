# Completion for bash, of any program of Origin but octl: the options are those that --help lists.  bash-completion finds it as
# .../bash-completion/completions/PROGRAM.

_origin()
{
	local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} help argument
	COMPREPLY=()
	help=$("$1" --help 2>/dev/null) || return
	case $option$word in
	--*=)
		word=
		;;
	=*)
		option=${COMP_WORDS[COMP_CWORD-2]}
		;;
	*)
		[[ $word == -* ]] || return
		# an option, or several of the same meaning, at the beginning of a line
		argument=$(grep -Eo '^( {2}-., | {6,})--[^ ]+(, --[^ ]+)*' <<<"$help" | grep -Eo -e '--[a-z-]+=?')
		mapfile -t COMPREPLY < <(compgen -W "$argument" -- "$word")
		[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
		return
		;;
	esac
	argument=$(sed -En "s/^ {2,6}(-., )?$option\[?=([A-Z]+).*/\2/p" <<<"$help")
	case $argument in
	FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	DIR)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		;;
	esac
}
