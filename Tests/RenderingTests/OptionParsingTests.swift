// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

struct OptionParsingTests {
    private func mount(_ text: String) throws(Failure) -> MountOption {
        try MountOption(text, workingDirectory: "/here")
    }

    @Test func mounts() throws {
        let bind = try mount(
            "type=bind,src=./a,dst=/b,readonly,bind-propagation=rslave,bind-recursive=disabled"
        )
        #expect(bind.type == "bind" && bind.source == "/here/./a" && bind.target == "/b")
        #expect(bind.isReadOnly && bind.isNonRecursive && bind.propagation == "rslave")
        #expect(try mount("type=bind,source=/a,target=/b,ro=false").isReadOnly == false)
        #expect(try mount(#""source=/a,b",type=bind,target=/c"#).source == "/a,b")
        let memory = try mount("type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770")
        #expect(memory.sizeBytes == 64 << 20 && memory.mode == 0o1770 && memory.source.isEmpty)
    }

    @Test(arguments: [
        "", "type=bind,source=/a", "type=bind,target=/b", "type=tmpfs,source=/a,target=/b",
        "source=a,target=/b",
        "type=volume,target=/b", "type=npipe,target=/b", "type=bind,source=/a,target=/b,tmpfs-size=1",
        "type=tmpfs,target=/b,bind-propagation=slave", "type=tmpfs,target=/b,tmpfs-size=big",
        "type=tmpfs,target=/b,tmpfs-mode=9", "type=bind,source=/a,target=/b,colour=blue",
        "type=bind,source=/a,target=/b,",
        "type=bind,source=/a,target=/b,readonly=maybe", "bind",
    ])
    func whatIsNoMount(_ text: String) {
        let failure = #expect(throws: Failure.self) { try mount(text) }
        #expect(failure?.exitCode == 125)
    }

    @Test(
        arguments: [
            ("/dev/a", "/dev/a", "/dev/a", "rwm"), ("/dev/a:/dev/b", "/dev/a", "/dev/b", "rwm"),
            ("/dev/a:r", "/dev/a", "/dev/a", "r"), ("/dev/a:/dev/b:rw", "/dev/a", "/dev/b", "rw"),
        ]
    )
    func devices(_ text: String, _ source: String, _ target: String, _ permissions: String) throws {
        let option = try DeviceOption(text)
        #expect(option.source == source && option.target == target && option.permissions == permissions)
    }

    @Test(arguments: ["", "null", "/dev/a:/dev/b:x", "/dev/a:/dev/b:r:w", ":/dev/b"])
    func whatIsNoDevice(_ text: String) {
        #expect(throws: Failure.self) { try DeviceOption(text) }
    }

    @Test func ulimits() throws {
        #expect(try UlimitOption("nofile=1024").hard == 1024)
        #expect(try UlimitOption("nofile=1024:-1").hard == -1)
        for text in ["nofile", "nofile=", "nofile=a", "=1", "nofile=1:2:3", "nofile=-2"] {
            #expect(throws: Failure.self) { try UlimitOption(text) }
        }
    }

    @Test func rates() throws {
        let rate = try DeviceRateOption("/dev/sda:10m", option: "--x", isBytes: true)
        #expect(rate.path == "/dev/sda" && rate.rate == 10 << 20)
        #expect(try DeviceRateOption("/dev/sda:10", option: "--x", isBytes: false).rate == 10)
        for text in ["/dev/sda", "sda:1", "/dev/sda:", "/dev/sda:x"] {
            #expect(throws: Failure.self) { try DeviceRateOption(text, option: "--x", isBytes: false) }
        }
    }

    @Test func limitsAndPairs() throws {
        #expect(try LimitText.bytes("-1", option: "--x") == -1)
        #expect(try LimitText.bytes("1g", option: "--x") == 1 << 30)
        #expect(throws: Failure.self) { try LimitText.bytes("-2", option: "--x") }
        #expect(try PairText.pairs(["a=b=c", "d="], option: "--x") == ["a": "b=c", "d": ""])
        #expect(throws: Failure.self) { try PairText.pairs(["a"], option: "--x") }
        #expect(try PairText.pairs(["a"], option: "--x", needsValue: false) == ["a": ""])
    }
}
