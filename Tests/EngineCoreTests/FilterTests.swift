// SPDX-License-Identifier: Apache-2.0
@testable import EngineCore
import JSON
import Testing

@Suite struct ImageFilterTests {
    private static let second: Int64 = 1_000_000_000

    private func image(_ references: [String], createdAt: Int64 = 0, labels: [String: String] = [:])
        -> StoredImage
    {
        var image = StoredImage(id: "sha256:" + String(repeating: "a", count: 64))
        image.references = references
        image.createdAtUnixNanos = createdAt * Self.second
        image.labels = labels
        return image
    }

    private func names(_ filters: [String], _ image: StoredImage) throws -> [String]? {
        try ImageFilter(filters, now: 1000 * Self.second).visible(image)?.references
    }

    @Test func namesThatDoNotFitAreLeftOut() throws {
        let image = image(["busybox:latest", "team/box:1"])
        #expect(try names(["reference=busybox"], image) == ["busybox:latest"])
        #expect(
            try names(["reference=team/*", "reference=busybox"], image) == ["busybox:latest", "team/box:1"]
        )
        #expect(try names(["reference=other"], image) == nil)
    }

    @Test func danglingIsWithoutATag() throws {
        #expect(try names(["dangling=true"], image([])) == [])
        #expect(try names(["dangling=true"], image(["a:1"])) == nil)
        #expect(try names(["dangling=false"], image([])) == nil)
        #expect(try names(["dangling=0"], image(["a:1"])) == ["a:1"])
    }

    @Test func labelsNarrowEachOther() throws {
        let image = image(["a:1"], labels: ["x": "1", "y": "2"])
        #expect(try names(["label=x", "label=y=2"], image) != nil)
        #expect(try names(["label=x", "label=y=3"], image) == nil)
        #expect(try names(["label!=z"], image) != nil)
        #expect(try names(["label!=x=1"], image) == nil)
    }

    @Test func agesAndMomentsCount() throws {
        let image = image(["a:1"], createdAt: 900)
        #expect(try names(["until=10s"], image) != nil)
        #expect(try names(["until=200s"], image) == nil)
        #expect(try names(["until=901"], image) != nil)
        #expect(try names(["until=1970-01-01T00:15:00Z"], image) == nil)
        var filter = try ImageFilter([], now: 0)
        filter.madeBefore(900 * Self.second)
        #expect(filter.visible(image) == nil)
    }

    @Test(arguments: ["x=1", "dangling=maybe", "until=tomorrow", "label", "before!=x"])
    func otherFiltersAreRefused(_ text: String) {
        #expect(throws: EngineError.self) { try ImageFilter([text], now: 0) }
    }
}

@Suite struct HistoryTests {
    @Test func stepsAreNewestFirstWithTheirLayers() throws {
        let history = try JSON(
            parsing: Array(
                """
                [{"created":"2024-01-01T00:00:00Z","created_by":"ADD"},
                 {"created_by":"ENV","empty_layer":true},{"created_by":"RUN","comment":"c"}]
                """.utf8
            )
        )
        let steps = Engine.steps(history.array ?? [], layerBytes: [10, 20])
        #expect(steps.map(\.createdBy) == ["RUN", "ENV", "ADD"])
        #expect(steps.map(\.sizeBytes) == [20, 0, 10])
        #expect(steps[0].comment == "c" && steps[2].createdAtUnixNanos == 1_704_067_200_000_000_000)
    }

    @Test func layersWithoutHistoryAreStepsToo() {
        #expect(Engine.steps([], layerBytes: [1, 2]).map(\.sizeBytes) == [2, 1])
        #expect(Engine.steps([["created_by": "x"]], layerBytes: []).map(\.sizeBytes) == [0])
    }
}
