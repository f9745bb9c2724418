// SPDX-License-Identifier: Apache-2.0
// `codec`: encoding and decoding the sample message of echo.proto.
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "echo.h"
#include "petrel/benchmark/v1/echo.pb-c.h"

typedef Petrel__Benchmark__V1__CodecMessage Sample;
typedef Petrel__Benchmark__V1__CodecMessage__Limits Limits;
typedef Petrel__Benchmark__V1__CodecMessage__Mount Mount;
typedef Petrel__Benchmark__V1__CodecMessage__LabelsEntry Label;

enum { DIGEST_BYTES = 32, MOUNTS = 3, LABELS = 4, MOST_BYTES = 1024 };

static Mount mount(char *source, char *target, bool read_only) {
    Mount mount = PETREL__BENCHMARK__V1__CODEC_MESSAGE__MOUNT__INIT;
    mount.source = source;
    mount.target = target;
    mount.read_only = read_only;
    return mount;
}

static Label label(char *key, char *value) {
    Label label = PETREL__BENCHMARK__V1__CODEC_MESSAGE__LABELS_ENTRY__INIT;
    label.key = key;
    label.value = value;
    return label;
}

static Sample sample(void) {
    static uint8_t digest[DIGEST_BYTES];
    static Limits limits;
    static Mount mounts[MOUNTS], *mount_list[MOUNTS];
    static Label labels[LABELS], *label_list[LABELS];
    for (int index = 0; index < DIGEST_BYTES; index++) {
        digest[index] = (uint8_t)(7 * index);
    }
    limits = (Limits)PETREL__BENCHMARK__V1__CODEC_MESSAGE__LIMITS__INIT;
    limits.memory_bytes = 268435456;
    limits.processor_weight = 100;
    limits.oom_killed = true;
    limits.cgroup = "petrel.slice/web";
    mounts[0] = mount("/srv/web/content", "/usr/share/nginx/html", true);
    mounts[1] = mount("/srv/web/cache", "/var/cache/nginx", false);
    mounts[2] = mount("tmpfs", "/run", false);
    labels[0] = label("tier", "frontend");
    labels[1] = label("team", "storefront");
    labels[2] = label("release", "2026.01");
    labels[3] = label("region", "eu-central");
    for (int index = 0; index < MOUNTS; index++) {
        mount_list[index] = &mounts[index];
    }
    for (int index = 0; index < LABELS; index++) {
        label_list[index] = &labels[index];
    }
    Sample sample = PETREL__BENCHMARK__V1__CODEC_MESSAGE__INIT;
    sample.id = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";
    sample.name = "web-frontend-1";
    sample.created_nanos = 1767225600123456789;
    sample.exit_code = -137;
    sample.load = 0.8125;
    sample.digest = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digest};
    sample.state = PETREL__BENCHMARK__V1__CODEC_MESSAGE__STATE__STATE_RUNNING;
    sample.limits = &limits;
    sample.n_mounts = MOUNTS;
    sample.mounts = mount_list;
    sample.n_labels = LABELS;
    sample.labels = label_list;
    return sample;
}

static void check(const Sample *decoded) {
    bool is_right = decoded && decoded->exit_code == -137 && decoded->load == 0.8125 && decoded->n_mounts == MOUNTS
        && decoded->n_labels == LABELS && strcmp(decoded->limits->cgroup, "petrel.slice/web") == 0
        && strcmp(decoded->mounts[1]->target, "/var/cache/nginx") == 0;
    if (!is_right) {
        fail("what was decoded is not what was encoded");
    }
}

int codec(long rounds) {
    static uint8_t buffer[MOST_BYTES];
    Sample message = sample();
    size_t size = 0;
    uint64_t begin = processor_nanos();
    for (long round = 0; round < rounds; round++) {
        size = protobuf_c_message_get_packed_size(&message.base);
        if (size > sizeof buffer || protobuf_c_message_pack(&message.base, buffer) != size) {
            fail("the message has %zu bytes", size);
        }
    }
    uint64_t middle = processor_nanos();
    for (long round = 0; round < rounds; round++) {
        check((Sample *)message_decode(&petrel__benchmark__v1__codec_message__descriptor, buffer, size));
        message_forget();
    }
    uint64_t end = processor_nanos();
    printf("{\"encode_ns\":%.1f,\"decode_ns\":%.1f,\"bytes\":%zu}\n", (double)(middle - begin) / (double)rounds,
           (double)(end - middle) / (double)rounds, size);
    return 0;
}
