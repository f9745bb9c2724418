# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts/test and scripts/quickstart: what daemons and containers leave on the machine outside their
# directories, and its removal. Uses PETREL_TEST_ROOT (a directory that only this run uses) and PETREL_BIN.
# shellcheck shell=bash

# petrel_processes TEXT: the ids of processes that have TEXT in their command line, without this shell and its children.
petrel_processes() {
    local directory id
    for directory in /proc/[0-9]*; do
        id=${directory#/proc/}
        [[ $id != "$$" && $id != "$BASHPID" ]] || continue
        { tr '\0' ' ' <"$directory/cmdline"; } 2>/dev/null | grep -q -F -- "$1" || continue
        printf '%s\n' "$id"
    done
}

petrel_mounts() { cut -d' ' -f2 /proc/self/mounts | grep -F -- "$1" || true; }

petrel_cgroups() { find /sys/fs/cgroup -mindepth 1 -depth -type d -path '*/petrel-*' 2>/dev/null | sort || true; }

remember_machine() {
    cgroups_before=$(petrel_cgroups)
}

# Those cgroups that were not there before and belong to a suite of this run.
petrel_new_cgroups() {
    local name
    [[ -f $PETREL_TEST_ROOT/cgroups ]] || return 0
    sort -u "$PETREL_TEST_ROOT/cgroups" | while read -r name; do
        petrel_cgroups | grep -E "/$name(/|\$)" | grep -v -x -F -- "${cgroups_before:-/}" || true
    done
}

remains_of_tests() {
    local id
    for id in $(petrel_processes "$PETREL_TEST_ROOT/"); do
        printf 'process %s: %s\n' "$id" "$({ tr '\0' ' ' <"/proc/$id/cmdline"; } 2>/dev/null | cut -c1-150)"
    done
    petrel_mounts "$PETREL_TEST_ROOT/" | sed 's/^/mount /'
    petrel_new_cgroups | sed 's/^/cgroup /'
}

remove_remains() {
    local id group path
    for _ in {1..10}; do
        for id in $(petrel_processes "$PETREL_TEST_ROOT/"); do kill -KILL "$id" 2>/dev/null || true; done
        for group in $(petrel_new_cgroups | sort -r); do
            xargs --no-run-if-empty kill -KILL <"$group/cgroup.procs" 2>/dev/null || true
            rmdir "$group" 2>/dev/null || true
        done
        [[ -n $(petrel_processes "$PETREL_TEST_ROOT/")$(petrel_new_cgroups) ]] || break
        sleep 0.1
    done
    petrel_mounts "$PETREL_TEST_ROOT/" | sort -r | while read -r path; do umount --lazy "$path" || true; done
    # Tests of removal make some files immutable.
    chattr -R -f -i -a "$PETREL_TEST_ROOT" 2>/dev/null || true
    rm -rf --one-file-system "$PETREL_TEST_ROOT"
}
