// SPDX-License-Identifier: Apache-2.0
// One-line wrappers for what Swift cannot import: variadic calls and function-like macros.
#ifndef PETREL_CLINUX_H
#define PETREL_CLINUX_H

// Never _GNU_SOURCE here or in another binding: types such as fd_set would differ from those of Swift's Glibc module,
// and a program that sees both does not compile.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/// Variadic: open's mode.
static inline int petrel_openat(int directory, const char *path, int flags, unsigned int mode) {
    return openat(directory, path, flags, mode);
}

/// Variadic: renameat2, which is an extension, with RENAME_EXCHANGE (1 << 1 in <linux/fs.h>).
static inline int petrel_exchange_names(const char *one, const char *other) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 1u << 1);
}

/// In <malloc.h>, which the Swift module of the C library leaves out.
static inline void petrel_release_free_memory(void) {
    malloc_trim(0);
}

/// The same header.
static inline void petrel_keep_free_memory(int bytes, int mapped) {
    mallopt(M_TRIM_THRESHOLD, bytes);
    mallopt(M_MMAP_THRESHOLD, mapped);
}

/// The same header.
static inline void petrel_share_heaps(int count) {
    mallopt(M_ARENA_MAX, count);
}

/// A builtin of the compiler. Where the stack of the calling thread is now.
static inline uintptr_t petrel_frame_address(void) {
    return (uintptr_t)__builtin_frame_address(0);
}

/// Variadic: fcntl's argument.
static inline int petrel_fcntl(int descriptor, int command, long argument) {
    return fcntl(descriptor, command, argument);
}

/// Variadic: ioctl's argument.
static inline int petrel_ioctl(int descriptor, unsigned long request, void *argument) {
    return ioctl(descriptor, request, argument);
}

/// Variadic: system calls without a wrapper in the C library.
static inline long petrel_syscall(long number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}

/// Declared only with _GNU_SOURCE: accept with flags, no peer address.
static inline int petrel_accept(int descriptor, int flags) { return (int)syscall(SYS_accept4, descriptor, 0, 0, flags); }

/// Declared only with _GNU_SOURCE; <spawn.h> here would make its types this module's.
int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);
static inline int petrel_spawn_closefrom(void *actions, int from) { return posix_spawn_file_actions_addclosefrom_np(actions, from); }

/// The same.
int posix_spawn_file_actions_addtcsetpgrp_np(void *actions, int terminal);
static inline int petrel_spawn_foreground(void *actions, int terminal) { return posix_spawn_file_actions_addtcsetpgrp_np(actions, terminal); }

/// A global variable of the C library, which Swift takes for shared mutable state.
static inline char **petrel_environment(void) { extern char **environ; return environ; }

/// The kernel's signal set is a 64-bit word, unlike the C library's type, which cannot be built from it.
static inline int petrel_signalfd(const uint64_t *mask, int flags) {
    return (int)syscall(SYS_signalfd4, -1, mask, 8, flags);
}

/// Variadic: prctl(PR_SET_CHILD_SUBREAPER, 1).
static inline int petrel_subreaper(void) { return (int)syscall(SYS_prctl, 36, 1, 0, 0, 0); }

/// Declared only with _GNU_SOURCE.
static inline int petrel_pipe(int *ends, int flags) { return (int)syscall(SYS_pipe2, ends, flags); }

/// Declared only with _GNU_SOURCE: splice to a pipe, a socket, or (with an offset) a file.
static inline long petrel_splice(int from, int to, int64_t *to_offset, unsigned long count, unsigned int flags) { return syscall(SYS_splice, from, 0, to, to_offset, count, flags); }

/// Declared only with _GNU_SOURCE: sendfile from the file's own offset, which moves on; a memory file; a hole in a file; room for a file to grow.
static inline long petrel_sendfile(int to, int from, unsigned long count) { return syscall(SYS_sendfile, to, from, 0, count); }
static inline int petrel_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1); }
static inline int petrel_punch_hole(int file, int64_t offset, int64_t count) { return (int)syscall(SYS_fallocate, file, 3, offset, count); }
static inline int petrel_allocate_ahead(int file, int64_t offset, int64_t count) { return (int)syscall(SYS_fallocate, file, 1, offset, count); }

/// <sys/inotify.h> is in no module of the C library.
static inline int petrel_inotify(int flags) { return (int)syscall(SYS_inotify_init1, flags); }
static inline int petrel_inotify_watch(int queue, const char *path, uint32_t mask) { return (int)syscall(SYS_inotify_add_watch, queue, path, mask); }
static inline int petrel_inotify_unwatch(int queue, int watch) { return (int)syscall(SYS_inotify_rm_watch, queue, watch); }

/// <sys/eventfd.h> is in none either.
static inline int petrel_eventfd(int flags) { return (int)syscall(SYS_eventfd2, 0, flags); }

/// Nor is <sys/timerfd.h>.
static inline int petrel_timerfd_create(int clock, int flags) { return (int)syscall(SYS_timerfd_create, clock, flags); }

/// `when` is a struct itimerspec of 64 bits: an interval's seconds and nanoseconds, and the first time's; 1 is TFD_TIMER_ABSTIME.
static inline int petrel_timerfd_settime(int fd, const int64_t when[4]) { return (int)syscall(SYS_timerfd_settime, fd, 1, when, (void *)0); }

/// No wrapper in the C library: whether two of this process's numbers are one open file (KCMP_FILE); 0 when they are.
static inline long petrel_kcmp_file(int pid, int first, int second) { return syscall(SYS_kcmp, pid, pid, 0, first, second); }

#endif
