// SPDX-License-Identifier: Apache-2.0
import RPC
import Testing

struct MetadataTests {
    /// HTTP/2 has names in lower case only, and people write them in any.
    @Test(arguments: ["x-request-id", "X-Request-Id", "X-REQUEST-ID"])
    func namesAreFoundHoweverTheyAreWritten(name: String) {
        var metadata: Metadata = ["X-Request-ID": "one"]
        #expect(metadata[name] == "one")
        metadata[name] = "two"
        #expect(metadata.entries.map(\.name) == ["x-request-id"] && metadata["x-request-id"] == "two")
        metadata.add([1, 2], for: name + "-bin")
        metadata.add([3], for: name + "-BIN")
        #expect(metadata.bytes(name + "-Bin") == [1, 2])
        metadata[name] = nil
        #expect(metadata[name] == nil && metadata.entries.count == 2)
    }

    @Test func otherNamesAreNotFound() {
        let metadata: Metadata = ["a": "1"]
        #expect(metadata["b"] == nil && metadata[""] == nil && metadata.bytes("a") == nil)
    }
}
