// SPDX-License-Identifier: Apache-2.0
import InitCore
import Testing

@Suite struct NotificationTests {
    @Test func understandsTheProtocol() {
        let ready = Notification(Array("READY=1\nSTATUS=serves 3=three\nMAINPID=7\n".utf8))
        #expect(
            ready.isReady && ready.status == "serves 3=three" && !ready.isStopping && !ready.storesDescriptors
        )
        let store = Notification(Array("FDSTORE=1\nFDNAME=4a5f.run.stdout".utf8))
        #expect(store.storesDescriptors && store.descriptorName == "4a5f.run.stdout")
        let remove = Notification(Array("FDSTOREREMOVE=1\nFDNAME=x".utf8))
        #expect(remove.removesDescriptors && remove.descriptorName == "x")
        #expect(Notification(Array("BARRIER=1".utf8)).isBarrier)
        #expect(Notification(Array("STOPPING=1".utf8)).isStopping)
    }

    @Test(arguments: ["", "\n\n", "READY", "=1", "READY=0", "READY=11", "ready=1", "\u{0}\u{1}"])
    func skipsWhatItDoesNotKnow(_ text: String) {
        #expect(Notification(Array(text.utf8)) == Notification([]))
    }

    @Test(arguments: ["", "a:b", "a b", "tab\t", "ü", String(repeating: "n", count: 256)])
    func refusesNamesThatWouldBreakTheList(_ name: String) {
        #expect(Notification(Array("FDSTORE=1\nFDNAME=\(name)".utf8)).descriptorName == nil)
    }
}
