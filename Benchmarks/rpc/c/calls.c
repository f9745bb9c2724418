// SPDX-License-Identifier: Apache-2.0
// `unary` and `flow`: the time of calls on one connection.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "echo.h"
#include "petrel/benchmark/v1/echo.pb-c.h"

enum { PAYLOAD_BYTES = 100, DEADLINE_SECONDS = 120 };

// MARK: unary

// One of those that are in flight at the same time; makes call after call.
struct lane {
    struct call call;
    struct run *run;
    uint64_t begin;
    bool has_answer;
};

struct run {
    struct client client;
    Petrel__Benchmark__V1__EchoMessage request;
    // Calls that are to be started, and to be ended.
    long to_start, to_end;
    // Durations in the order in which calls ended; null while warming up.
    uint32_t *nanos;
    long ended;
};

static void say(struct lane *lane) {
    lane->run->to_start--;
    lane->has_answer = false;
    lane->begin = now_nanos();
    call_start(&lane->run->client, &lane->call, &path_say, &lane->run->request.base, false);
}

static void on_said(struct call *call, const ProtobufCMessage *message) {
    struct lane *lane = (struct lane *)call;
    const Petrel__Benchmark__V1__EchoMessage *answer = (const void *)message;
    lane->has_answer = answer->payload.len == PAYLOAD_BYTES && strcmp(answer->text, "hello") == 0;
}

static void on_say_end(struct call *call, bool has_succeeded) {
    struct lane *lane = (struct lane *)call;
    struct run *run = lane->run;
    if (!has_succeeded || !lane->has_answer) {
        fail("a call of Say did not succeed (HTTP/2 error code %" PRIu32 ")", call->error_code);
    }
    if (run->nanos) {
        run->nanos[run->ended++] = (uint32_t)(now_nanos() - lane->begin);
    }
    run->to_end--;
    if (run->to_start) {
        say(lane);
    }
}

static void make_calls(struct run *run, struct lane *lanes, long in_flight, long calls) {
    run->to_start = run->to_end = calls;
    for (long index = 0; index < in_flight && run->to_start; index++) {
        say(&lanes[index]);
    }
    if (!client_work(&run->client, &run->to_end, DEADLINE_SECONDS)) {
        fail("%ld calls of Say did not end within %d s", run->to_end, DEADLINE_SECONDS);
    }
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

int unary(const char *path, long calls, long in_flight, long warm_up) {
    static uint8_t payload[PAYLOAD_BYTES];
    struct run run = {.request = PETREL__BENCHMARK__V1__ECHO_MESSAGE__INIT};
    memset(payload, 'x', sizeof payload);
    run.request.text = "hello";
    run.request.payload = (ProtobufCBinaryData){.len = sizeof payload, .data = payload};
    struct lane *lanes = calloc((size_t)in_flight, sizeof *lanes);
    uint32_t *nanos = malloc((size_t)calls * sizeof *nanos);
    if (!lanes || !nanos) {
        fail("no memory for %ld calls", calls);
    }
    for (long index = 0; index < in_flight; index++) {
        lanes[index].run = &run;
        lanes[index].call.on_message = on_said;
        lanes[index].call.on_end = on_say_end;
    }
    client_open(&run.client, path);
    make_calls(&run, lanes, in_flight, warm_up);
    run.nanos = nanos;
    uint64_t processor = processor_nanos(), begin = now_nanos();
    make_calls(&run, lanes, in_flight, calls);
    double seconds = (double)(now_nanos() - begin) / 1e9;
    double processor_micros = (double)(processor_nanos() - processor) / 1e3;
    qsort(nanos, (size_t)calls, sizeof *nanos, ascending);
    printf("{\"calls\":%ld,\"seconds\":%.6f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"cpu_us\":%.3f}\n", calls, seconds,
           nanos[calls / 2] / 1e3, nanos[calls * 99 / 100] / 1e3, processor_micros / (double)calls);
    client_close(&run.client);
    return 0;
}

// MARK: flow

struct flowing {
    struct call call;
    uint64_t bytes;
    long to_end;
};

static void on_flowed(struct call *call, const ProtobufCMessage *message) {
    const Petrel__Benchmark__V1__EchoMessage *answer = (const void *)message;
    ((struct flowing *)call)->bytes += answer->payload.len;
}

static void on_flow_end(struct call *call, bool has_succeeded) {
    if (!has_succeeded) {
        fail("Flow did not succeed (HTTP/2 error code %" PRIu32 ")", call->error_code);
    }
    ((struct flowing *)call)->to_end = 0;
}

int flow(const char *path, uint64_t bytes, uint32_t chunk) {
    struct client client;
    struct flowing flowing = {.call.on_message = on_flowed, .call.on_end = on_flow_end, .to_end = 1};
    Petrel__Benchmark__V1__FlowRequest request = PETREL__BENCHMARK__V1__FLOW_REQUEST__INIT;
    request.bytes = bytes;
    request.chunk_bytes = chunk;
    client_open(&client, path);
    uint64_t begin = now_nanos();
    call_start(&client, &flowing.call, &path_flow, &request.base, false);
    if (!client_work(&client, &flowing.to_end, DEADLINE_SECONDS) || flowing.bytes != bytes) {
        fail("Flow sent %" PRIu64 " bytes, not %" PRIu64, flowing.bytes, bytes);
    }
    printf("{\"bytes\":%" PRIu64 ",\"seconds\":%.6f}\n", bytes, (double)(now_nanos() - begin) / 1e9);
    client_close(&client);
    return 0;
}
