// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Rendering

/// `run` with the options that most people use, and the same in everything else: for all the options of `Run` the parser
/// takes about a millisecond more, of some twenty that a container takes to be made and to run.
///
/// Only for words for which `UsualOptions` suffice. Where they cannot be parsed, `Run` has the last word.
struct UsualRun: EngineCommand, ProgramTaker {
    static let configuration = Run.configuration

    @Flag(name: [.short, .long]) var detach = false
    @OptionGroup var options: ContainerOptions
    @OptionGroup var place: PlaceOptions
    @Argument var image: String
    @Argument(parsing: .captureForPassthrough) var command: [String] = []

    func run(_ engine: EngineConnection) async throws {
        let order = RunOrder(
            detaches: detach,
            options: options,
            further: nil,
            keys: try DetachKeys(""),
            forwardsSignals: true,
            image: image,
            command: command
        )
        try await order.carryOut(engine)
    }
}
