// SPDX-License-Identifier: Apache-2.0
// What the program can do; each function is one of its commands and returns the exit code. See ../README.md.
#ifndef ECHO_H
#define ECHO_H

#include <stdint.h>

int serve(const char *path);
int unary(const char *path, long calls, long in_flight, long warm_up);
int flow(const char *path, uint64_t bytes, uint32_t chunk);
int idle(const char *path, long connections);
int streams(const char *path, long count);
int codec(long rounds);

#endif
