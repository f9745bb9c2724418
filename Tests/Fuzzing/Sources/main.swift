// SPDX-License-Identifier: Apache-2.0

// fuzz TARGET [OPTION|FILE|DIRECTORY]...: libFuzzer's own program, with one of our decoders behind it.
//
// The decoders must neither end the process nor keep what they refuse; what they accept, they must write as they read it.

// Without a target it names them all.
if CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) {
    fuzz(target)
} else {
    for target in FuzzTarget.allCases { print(target.rawValue) }
}
