# Completion of octl for bash: bash-completion finds it as .../bash-completion/completions/octl.

_octl()
{
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local commands="status zones zone secondaries keys updates dump pull"
	local options="--key= --key-file= --port= --timeout= --wait --json --help --usage --version"
	COMPREPLY=()
	case $previous=$word in
	--key-file==*|--key-file=*)
		local IFS=$'\n'
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "${word#=}")
		return
		;;
	esac
	case $word in
	-*)
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
		;;
	esac
}
complete -F _octl octl
