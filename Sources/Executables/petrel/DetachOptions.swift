// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

/// How one leaves a program in its terminal.
struct DetachOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Keys that detach (default: ctrl-p,ctrl-q).") var detachKeys = ""

    func keys() throws(Failure) -> DetachKeys { try DetachKeys(detachKeys) }
}
