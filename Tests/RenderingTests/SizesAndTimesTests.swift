// SPDX-License-Identifier: Apache-2.0
import Rendering
import System
import Testing

@Suite struct HumanSizeTests {
    @Test(
        arguments: [
            (0, "0B"), (1, "1B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (4_270_000, "4.27MB"),
            (4_300_000, "4.3MB"), (119_000_000, "119MB"), (1_040_000_000, "1.04GB"),
            (12_345_678_901, "12.3GB"),
            (UInt64.max, "18.4EB"),
        ] as [(UInt64, String)]
    )
    func decimalSizesAreDockers(_ bytes: UInt64, _ text: String) {
        #expect(HumanSize.decimal(bytes) == text)
    }

    @Test(
        arguments: [(0, "0B"), (1023, "1023B"), (1024, "1KiB"), (13_107_200, "12.5MiB"), (1 << 40, "1TiB")]
            as [(UInt64, String)]
    )
    func binarySizesAreDockers(_ bytes: UInt64, _ text: String) {
        #expect(HumanSize.binary(bytes) == text)
    }

    @Test(
        arguments: [
            ("1024", 1024), ("512m", 512 << 20), ("512M", 512 << 20), ("1.5g", 3 << 29), ("64MiB", 64 << 20),
            ("64mb", 64 << 20), ("10b", 10), ("1k", 1024), (".5k", 512), ("2 g", 2 << 30), ("0", 0),
        ] as [(String, UInt64)]
    )
    func readsSizes(_ text: String, _ bytes: UInt64) {
        #expect(HumanSize.bytes(text) == bytes)
    }

    @Test(arguments: [
        "", "m", "-1m", "1x", "nonsense", "1.2.3", "1bb", "1ib", "99999999999999999999", "9000000p", "٣m",
        "1mm",
    ])
    func refusesWhatIsNoSize(_ text: String) {
        #expect(HumanSize.bytes(text) == nil)
    }

    @Test(
        arguments: [
            ("1.5", 1_500_000_000), ("0.5", 500_000_000), ("2", 2_000_000_000), (".25", 250_000_000),
            ("0.000000001", 1),
        ] as [(String, UInt64)]
    )
    func readsProcessors(_ text: String, _ nano: UInt64) {
        #expect(Processors.nano(text) == nano)
    }

    @Test(arguments: ["", "x", "1,5", "-1", "0.0000000001", "1e3", "99999999999"])
    func refusesWhatIsNoNumberOfProcessors(_ text: String) {
        #expect(Processors.nano(text) == nil)
    }
}

@Suite struct HumanDurationTests {
    @Test(
        arguments: [
            (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"), (5399, "About an hour"),
            (5400, "2 hours"),
            (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (13 * 86_400, "13 days"),
            (14 * 86_400, "2 weeks"),
            (59 * 86_400, "8 weeks"), (60 * 86_400, "2 months"), (729 * 86_400, "24 months"),
            (730 * 86_400, "2 years"),
        ] as [(Int64, String)]
    )
    func spansAreDockers(_ seconds: Int64, _ text: String) {
        #expect(HumanDuration.text(nanos: seconds * 1_000_000_000) == text)
    }

    @Test(arguments: [
        ("running", "Up 2 minutes"), ("exited", "Exited (3) 30 seconds ago"), ("created", "Created"),
        ("restarting", "Restarting (3) 30 seconds ago"), ("removing", "Removal In Progress"),
        ("dead", "Dead"),
        ("paused", "Up 2 minutes (Paused)"),
    ])
    func statusesAreDockers(_ state: String, _ text: String) {
        let second: Int64 = 1_000_000_000
        let status = HumanDuration.status(
            state: state,
            exitCode: 3,
            startedAt: 880 * second,
            finishedAt: 970 * second,
            now: 1000 * second
        )
        #expect(status == text)
    }
}

@Suite struct MomentsTests {
    @Test(
        arguments: [
            ("10m", 600_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5h", 5_400_000_000_000),
            ("300ms", 300_000_000),
            ("-2s", -2_000_000_000), ("0", 0), ("1us", 1000), ("1µs", 1000), ("+1ns", 1),
        ] as [(String, Int64)]
    )
    func readsGoDurations(_ text: String, _ nanos: Int64) {
        #expect(Moments.duration(text) == nanos)
    }

    @Test(arguments: ["", "10", "m", "10x", "1h-", "-", "1 h", "999999999h", "h1"])
    func refusesWhatIsNoDuration(_ text: String) {
        #expect(Moments.duration(text) == nil)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-23T14:00:00Z", 1_795_442_400_000_000_000),
            ("2026-11-23T15:00:00.5+01:00", 1_795_442_400_500_000_000),
            ("2026-11-23", 1_795_392_000_000_000_000),
            ("2026-11-23T14:00", 1_795_442_400_000_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
            ("1795442400", 1_795_442_400_000_000_000), ("1795442400.25", 1_795_442_400_250_000_000),
            ("2026-11-23T14:00:00.123456789Z", 1_795_442_400_123_456_789),
        ] as [(String, Int64)]
    )
    func readsMoments(_ text: String, _ nanos: Int64) {
        #expect(Moments.moment(text, now: 0) == nanos)
    }

    @Test func aDurationIsBeforeNow() {
        #expect(Moments.moment("10s", now: 25_000_000_000) == 15_000_000_000)
    }

    @Test(arguments: [
        "yesterday", "2026-13-01", "2026-11-23T25:00:00Z", "2026-11-23X", "2026-11-23T14:00:00+1", "--1",
    ])
    func refusesWhatIsNoMoment(_ text: String) {
        #expect(Moments.moment(text, now: 0) == nil)
        #expect(throws: Failure.self) { try Moments.option("--since", text, now: 0) }
    }

    @Test func anEmptyOptionIsNone() throws {
        #expect(Moments.moment("", now: 0) == nil)
        #expect(try Moments.option("--since", "", now: 1) == 0)
    }

    @Test func timesAreWrittenAsTheyAreRead() {
        for nanos: Int64 in [0, 1, 1_795_442_400_123_456_789, -1_000_000_000, 4_102_444_799_999_999_999] {
            #expect(Moments.rfc3339(Timestamp(unixNanos: nanos).rfc3339()) == nanos)
        }
        #expect(Timestamp(unixNanos: .min).rfc3339() == "1677-09-21T00:12:43.145224192Z")
        #expect(Timestamp(unixNanos: .max).rfc3339() == "2262-04-11T23:47:16.854775807Z")
        #expect(Timestamp(unixNanos: -1).rfc3339() == "1969-12-31T23:59:59.999999999Z")
        #expect(Timestamp(unixNanos: 1_795_442_400_000_000_000).spelledOut == "2026-11-23 14:00:00 +0000 UTC")
        #expect(
            Timestamp(unixNanos: 1_795_442_400_120_000_000).rfc3339(fractionDigits: 3)
                == "2026-11-23T14:00:00.120Z"
        )
    }
}
