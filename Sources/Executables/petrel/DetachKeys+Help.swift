// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

extension DetachKeys {
    /// Of the option that says how one leaves a program in its terminal.
    static let help: ArgumentHelp = "Keys that detach (default: ctrl-p,ctrl-q)."
}
