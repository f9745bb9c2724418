// SPDX-License-Identifier: Apache-2.0
import Rendering
import System

/// Files of `NAME=value` lines that options name.
enum TextFiles {
    /// Variables of files and of options, in that order; a name alone takes its value from here.
    static func environment(files: [String], options: [String]) throws(Failure) -> [String] {
        try check(options, "--env")
        return try lines(of: files, called: "env file", value: SystemEnvironment.value)
            + options.compactMap { OptionText.environment($0, environment: SystemEnvironment.value) }
    }

    /// Labels of files and of options; the later wins. A name alone has an empty value.
    static func labels(files: [String], options: [String]) throws(Failure) -> [String: String] {
        try check(options, "--label")
        let all = try lines(of: files, called: "label file", value: { _ in "" }) + options
        return Dictionary(all.map { OptionText.label($0) }.map { ($0.name, $0.value) }) { $1 }
    }

    private static func check(_ options: [String], _ option: String) throws(Failure) {
        for text in options where text.isEmpty || text.hasPrefix("=") {
            throw Failure("\(option) '\(text)'", "has no name", advice: "write name=value", exitCode: 125)
        }
    }

    private static func lines(
        of files: [String],
        called what: String,
        value: (String) -> String?
    ) throws(Failure) -> [String] {
        var lines: [String] = []
        for path in files {
            do {
                let bytes = try Files.contents(of: path, limit: 1 << 20)
                let text = String(decoding: bytes, as: UTF8.self)
                lines += try OptionText.environmentFile(text, environment: value)
            } catch let failure as Failure {
                throw Failure("\(what) \(path)", "\(failure.what): \(failure.why)", exitCode: 125)
            } catch let error as SystemError where error.name == "EFBIG" {
                throw Failure("\(what) \(path)", "is larger than 1 MiB", exitCode: 125)
            } catch {
                throw Failure("\(what) \(path)", "\(error)", exitCode: 125)
            }
        }
        return lines
    }
}
