#!/bin/sh
# Builds the repository anew from its spec files, with the same bytes each time. Needs the commands
# rpmbuild and createrepo_c (Debian: rpm, createrepo-c), but no compiler and no root.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 2026-01-01T00:00:00Z, the time of every package, file and index here.
export SOURCE_DATE_EPOCH=1767225600
export LC_ALL=C TZ=UTC HOME="$work"
cp "$here/rpmmacros" "$HOME/.rpmmacros"
mkdir "$HOME/fileattrs"
echo '%__none_path ^$' >"$HOME/fileattrs/none.attr"

# build REPOSITORY SPEC [TARGET...]: builds the source package, and the binary packages for each
# target. The default target is x86_64.
build() {
    repository=$1 spec=$2
    shift 2
    mkdir -p "$work/$repository/Packages" "$work/specs"
    install -m 644 "$here/specs/$spec.spec" "$work/specs"
    for target in "${@:-x86_64}"; do
        rpmbuild -ba --target "$target-linux" "$work/specs/$spec.spec" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    done
    find "$work/rpmbuild" -name '*.rpm' -exec mv {} "$work/$repository/Packages" \;
}

# index REPOSITORY: sets the file time of each package, and then makes the repodata, which include it.
index() {
    find "$work/$1/Packages" -name '*.rpm' -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    createrepo_c --quiet --no-database --simple-md-filenames --general-compress-type gz \
        --revision "$SOURCE_DATE_EPOCH" --set-timestamp-to-revision "$work/$1"
}

build main broken-app
build main ed
build main ed-classic
build main ed-dictionary
build main ed-dictionary-20190101
build main ed-gui
build main ed-legacy
build main ed-macros
build main ed-ng
build main ed-spell
build main ed-suite
build main ed-tools
build main ed-tutor
build main ed-words
build main libed x86_64 i686
build main libed++ x86_64 i686
build main libed-1.0 x86_64 aarch64
index main

build lookaside tinysh
index lookaside

rm -rf "$here/Packages" "$here/repodata" "$here/lookaside"
cp -R "$work/main/Packages" "$work/main/repodata" "$work/lookaside" "$here"
