# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the scripts that install packages. They bring `say` and `die`.

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -n true 2>/dev/null || say "sudo is needed for: $*"
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "root is needed for '$*' and there is no sudo; run it as root once"
    fi
}

apt_updated=no
apt_has() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$apt_updated" = no ]; then
        say "updating the list of packages"
        as_root apt-get update -qq || die "apt-get update failed; see its message above"
        apt_updated=yes
    fi
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -qv '(none)'
}

# Installs those of the packages that are missing.
apt_install() {
    command -v apt-get >/dev/null 2>&1 ||
        die "this script installs with apt and there is none here; install by hand: $*"
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    for package in "${missing[@]}"; do
        apt_has "$package" || die "apt has no package '$package' here; install it by hand"
    done
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null || die "apt-get could not install ${missing[*]}"
}

# Whether the machine has a thing, whatever installed it. `pkg:NAME` is a library that pkg-config knows,
# `file:PATTERN` a file, any other word a command.
is_here() {
    case "$1" in
    pkg:*) pkg-config --exists "${1#pkg:}" >/dev/null 2>&1 ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

any_is_here() {
    local thing things
    IFS=, read -r -a things <<<"$1"
    for thing in "${things[@]}"; do
        is_here "$thing" && return 0
    done
    return 1
}

# Makes sure of things, each named `THING[,THING]=PACKAGE`: one of the things has to be there, otherwise
# the package is installed.
ensure() {
    local pair lacks=() packages=()
    for pair in "$@"; do
        if ! any_is_here "${pair%%=*}"; then
            lacks+=("${pair%%=*}")
            case " ${packages[*]-} " in
            *" ${pair#*=} "*) ;;
            *) packages+=("${pair#*=}") ;;
            esac
        fi
    done
    [ ${#lacks[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null 2>&1 ||
        die "the machine lacks ${lacks[*]} and has no apt to install them with; install by hand what \
Debian names ${packages[*]}"
    apt_install "${packages[@]}"
}

# Makes sure of commands of a package, whose files are unpacked into the folder of tools where they are
# missing: without its services, its users and its dependencies.
ensure_unpacked() {
    local package=$1 command folder complete=yes
    shift
    for command in "$@"; do
        is_here "$command" || complete=no
    done
    [ "$complete" = no ] || return 0
    command -v apt-get >/dev/null 2>&1 ||
        die "the machine lacks $* and has no apt to download them with; install by hand what Debian \
names $package"
    apt_has "$package" || die "apt has no package '$package' here; install by hand: $*"
    say "unpacking $package into $ASSAY_TOOLS"
    folder=$(mktemp -d)
    # Root downloads as another user, who has to reach the folder.
    chmod 755 "$folder"
    (cd "$folder" && apt-get download -qq "$package" >/dev/null 2>&1 && dpkg-deb -x ./*.deb .) || {
        rm -rf "$folder"
        die "apt-get could not download $package; see 'apt-get download $package'"
    }
    mkdir -p "$ASSAY_TOOLS/bin"
    for command in "$@"; do
        cp "$folder/usr/bin/$command" "$ASSAY_TOOLS/bin/$command" || die "$package has no $command"
    done
    rm -rf "$folder"
}
