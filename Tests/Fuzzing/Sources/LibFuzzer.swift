// SPDX-License-Identifier: Apache-2.0

/// libFuzzer's loop as a function (its library without a `main`).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// A C function cannot capture it.
nonisolated(unsafe) private var current = FuzzTarget.deframer

/// Gives the target inputs until one ends the process, or the options say so.
func fuzz(_ target: FuzzTarget) {
    current = target
    // libFuzzer sees the arguments without the target's name.
    var count = CommandLine.argc - 1
    var arguments = CommandLine.unsafeArgv + 1
    arguments[0] = CommandLine.unsafeArgv[0]
    _ = runDriver(&count, &arguments) { start, count in
        current.run(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
}
