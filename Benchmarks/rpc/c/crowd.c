// SPDX-License-Identifier: Apache-2.0
// `idle` and `streams`: many connections, or many calls on one, that are held open.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "echo.h"
#include "petrel/benchmark/v1/echo.pb-c.h"

enum { DEADLINE_SECONDS = 60 };

static void wait_for_end_of_input(void) {
    char buffer[256];
    fflush(stdout);
    while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) {
    }
}

// MARK: idle

struct greeting {
    struct call call;
    long to_end;
};

static void on_greeted(struct call *call, const ProtobufCMessage *message) {
    (void)call;
    (void)message;
}

static void on_greeting_end(struct call *call, bool has_succeeded) {
    if (!has_succeeded) {
        fail("Say did not succeed");
    }
    ((struct greeting *)call)->to_end = 0;
}

int idle(const char *path, long connections) {
    struct client *clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) {
        fail("no memory for %ld connections", connections);
    }
    Petrel__Benchmark__V1__EchoMessage request = PETREL__BENCHMARK__V1__ECHO_MESSAGE__INIT;
    request.text = "hello";
    for (long index = 0; index < connections; index++) {
        struct greeting greeting = {.call.on_message = on_greeted, .call.on_end = on_greeting_end, .to_end = 1};
        client_open(&clients[index], path);
        call_start(&clients[index], &greeting.call, &path_say, &request.base, false);
        if (!client_work(&clients[index], &greeting.to_end, DEADLINE_SECONDS)) {
            fail("connection %ld: Say did not end within %d s", index, DEADLINE_SECONDS);
        }
        bytes_free(&greeting.call.in);
        bytes_free(&greeting.call.out);
    }
    puts("ready");
    wait_for_end_of_input();
    return 0;
}

// MARK: streams

struct talk {
    struct call call;
    struct crowd *crowd;
    bool has_echo, has_ended;
};

struct crowd {
    struct client client;
    // Talks that were not answered and have not ended; and those that have not ended.
    long undecided, to_end;
    long open, failed, refused;
};

static void on_echo(struct call *call, const ProtobufCMessage *message) {
    struct talk *talk = (struct talk *)call;
    (void)message;
    if (!talk->has_echo) {
        talk->has_echo = true;
        talk->crowd->open++;
        talk->crowd->undecided--;
    }
}

// Before the caller has finished it, a talk that ends has failed.
static void on_talk_end(struct call *call, bool has_succeeded) {
    struct talk *talk = (struct talk *)call;
    struct crowd *crowd = talk->crowd;
    talk->has_ended = true;
    crowd->to_end--;
    if (has_succeeded && talk->has_echo && call->has_sent_all) {
        return;
    }
    crowd->open -= talk->has_echo;
    crowd->undecided -= !talk->has_echo;
    crowd->failed += call->error_code != NGHTTP2_REFUSED_STREAM;
    crowd->refused += call->error_code == NGHTTP2_REFUSED_STREAM;
}

static bool start_talks(struct crowd *crowd, struct talk *talks, long count) {
    Petrel__Benchmark__V1__EchoMessage request = PETREL__BENCHMARK__V1__ECHO_MESSAGE__INIT;
    request.text = "hello";
    crowd->undecided = crowd->to_end = count;
    for (long index = 0; index < count; index++) {
        talks[index] = (struct talk){.crowd = crowd, .call.on_message = on_echo, .call.on_end = on_talk_end};
        call_start(&crowd->client, &talks[index].call, &path_talk, &request.base, true);
    }
    return client_work(&crowd->client, &crowd->undecided, DEADLINE_SECONDS);
}

int streams(const char *path, long count) {
    struct crowd crowd = {0};
    struct talk *talks = calloc((size_t)count, sizeof *talks);
    if (!talks) {
        fail("no memory for %ld streams", count);
    }
    client_open(&crowd.client, path);
    if (!start_talks(&crowd, talks, count)) {
        // Nobody answers them, or the server lets them wait.
        crowd.failed += crowd.undecided;
    }
    printf("{\"open\":%ld,\"failed\":%ld,\"refused\":%ld,\"goaway\":%d,\"server_kb_note\":\"\"}\n", crowd.open,
           crowd.failed, crowd.refused, crowd.client.link.got_goaway);
    wait_for_end_of_input();
    long broken = crowd.failed + crowd.refused;
    for (long index = 0; index < count; index++) {
        if (!talks[index].has_ended) {
            call_finish(&talks[index].call);
        }
    }
    if (!client_work(&crowd.client, &crowd.to_end, DEADLINE_SECONDS) || crowd.failed + crowd.refused > broken) {
        fail("%ld streams did not end, %ld ended badly", crowd.to_end, crowd.failed + crowd.refused - broken);
    }
    client_close(&crowd.client);
    return 0;
}
