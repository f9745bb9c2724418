// SPDX-License-Identifier: Apache-2.0
// As in CLinux: otherwise types of the C library would have two definitions in one program.
#define _GNU_SOURCE 1
#include <seccomp.h>
