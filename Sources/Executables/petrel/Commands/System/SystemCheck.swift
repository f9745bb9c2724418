// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JSON
import MachineCheck
import Rendering
import Suite

struct SystemCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        _superCommandName: Petrel.name,
        abstract: "Try what this kernel and machine can do for Petrel.",
        discussion: """
            Each line says ok, limited (something is not possible) or missing (Petrel does not work), and what follows. \
            Ends with 1 when something is missing. Nothing is changed, and no daemon is needed.

            EXAMPLE:
              petrel system check
              petrel system check --format json
            """
    )

    @Option(parsing: .unconditional, help: "'table', 'json' (an array of objects), or a template.")
    var format = "table"
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let directory = Probe.place(of: try place.location().root)
        let findings = Probe.allCases.map { ProbeProcess.run($0, place: directory) }
        if format == "table" {
            let lines = findings.map {
                CheckReport.Line(
                    name: $0.name,
                    state: $0.state.rawValue,
                    detail: $0.detail,
                    consequence: $0.consequence
                )
            }
            let report = CheckReport(lines).lines(width: Screen.tableWidth, isColoured: Screen.hasColours)
            Screen.print(report.joined(separator: "\n"))
        } else if format == "json" {
            Screen.print(.array(findings.map(\.json)))
        } else {
            let rows = findings.compactMap(\.json.object)
            try Listing(columns: [], rows: rows).show(format: format)
        }
        if findings.contains(where: { $0.state == .missing }) { throw ExitCode(1) }
    }
}
