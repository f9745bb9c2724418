// SPDX-License-Identifier: Apache-2.0
internal import System

/// Another program with the same verdicts, of less than half of the instructions: neighbouring calls with one verdict are decided
/// together, and a call is found by halving. The kernel takes the time of loading a filter for its instructions, before every
/// container and every exec.
///
/// What a program does for a number of an architecture is found by running it, up to where it looks at arguments; that part
/// stays as it is.
package struct FilterCompaction {
    /// What becomes of a call, as far as its architecture and number tell.
    private enum Outcome: Hashable {
        case verdict(UInt32)
        /// Its arguments are looked at, from this instruction on.
        case arguments(at: Int)
    }

    /// The bit of x32 calls' numbers; the only one that programs mask.
    private static let x32: UInt32 = 0x4000_0000

    private let program: [FilterInstruction]
    private var architectures: Set<UInt32> = []
    /// The first numbers of ranges within which no comparison tells two numbers apart.
    private var bounds: Set<UInt32> = [0, 0x4000_0000, 0x8000_0000, 0xc000_0000]

    /// - Returns: The program as it is where it has operations that are not understood here, or would become longer.
    package static func compacted(_ bytes: [UInt8]) -> [UInt8] {
        let program = (0..<(bytes.count / FilterInstruction.size)).compactMap {
            FilterInstruction(bytes, at: $0)
        }
        guard program.count * FilterInstruction.size == bytes.count,
            let compaction = FilterCompaction(program), let result = compaction.result(),
            result.count < program.count
        else { return bytes }
        return result.flatMap(\.bytes)
    }

    // MARK: - What is compared

    private enum Loaded: Hashable { case nothing, number, architecture, arguments }

    private struct Place: Hashable {
        let index: Int
        let loaded: Loaded
    }

    private init?(_ program: [FilterInstruction]) {
        self.program = program
        var seen: Set<Place> = []
        var open = [Place(index: 0, loaded: .nothing)]
        while let place = open.popLast() {
            guard seen.insert(place).inserted else { continue }
            guard place.index < program.count, let next = note(place) else { return nil }
            open += next
        }
    }

    /// Notes what the instruction compares.
    /// - Returns: Where it goes on; nil when it is not understood.
    private mutating func note(_ place: Place) -> [Place]? {
        let instruction = program[place.index]
        func on(_ distance: Int) -> Place { Place(index: place.index + 1 + distance, loaded: place.loaded) }
        switch instruction.code {
        case .verdict: return []
        case .jump: return [on(Int(instruction.operand))]
        case .load:
            let loaded: [UInt32: Loaded] = [
                FilterInstruction.number: .number, FilterInstruction.architecture: .architecture,
            ]
            return [Place(index: place.index + 1, loaded: loaded[instruction.operand] ?? .arguments)]
        case .and:
            guard place.loaded == .arguments || place.loaded == .number && instruction.operand == ~Self.x32
            else { return nil }
            return [on(0)]
        case .ifEqual, .ifGreater, .ifNotLess, .ifAnyBit:
            switch place.loaded {
            case .nothing: return nil
            case .arguments: break
            case .architecture:
                guard instruction.code == .ifEqual else { return nil }
                architectures.insert(instruction.operand)
            case .number:
                guard instruction.code != .ifAnyBit else { return nil }
                for number in [instruction.operand, instruction.operand | Self.x32] {
                    bounds.formUnion([number, number &+ 1])
                }
            }
            return [on(Int(instruction.ifTrue)), on(Int(instruction.ifFalse))]
        }
    }

    // MARK: - What becomes of a call

    private func outcome(_ architecture: UInt32, _ number: UInt32) -> Outcome? {
        var (index, loaded) = (0, UInt32(0))
        while index < program.count {
            let instruction = program[index]
            switch instruction.code {
            case .verdict: return .verdict(instruction.operand)
            case .jump: index += Int(instruction.operand)
            case .load:
                switch instruction.operand {
                case FilterInstruction.number: loaded = number
                case FilterInstruction.architecture: loaded = architecture
                default: return .arguments(at: index)
                }
            case .and: loaded &= instruction.operand
            case .ifEqual, .ifGreater, .ifNotLess, .ifAnyBit:
                index += instruction.distance(for: loaded)
            }
            index += 1
        }
        return nil
    }

    private struct Span {
        /// Its first number.
        let first: UInt32
        let outcome: Outcome
    }

    private func ranges(of architecture: UInt32) -> [Span]? {
        var ranges: [Span] = []
        for first in bounds.sorted() {
            guard let outcome = outcome(architecture, first) else { return nil }
            if ranges.last?.outcome != outcome { ranges.append(Span(first: first, outcome: outcome)) }
        }
        return ranges
    }

    // MARK: - The new program

    /// An instruction, or a long jump to an instruction of the old program that looks at arguments.
    private enum Item {
        case instruction(FilterInstruction)
        case arguments(at: Int)
    }

    private func result() -> [FilterInstruction]? {
        // Any that is not compared stands for all others.
        guard let other = (0...UInt32.max).first(where: { !architectures.contains($0) }),
            let rest = ranges(of: other)
        else { return nil }
        var items = [Item.instruction(.init(.load, operand: FilterInstruction.architecture))]
        for architecture in architectures.sorted() {
            guard let ranges = ranges(of: architecture) else { return nil }
            let section = Self.section(ranges)
            items.append(.instruction(.init(.ifEqual, ifTrue: 1, operand: architecture)))
            items.append(.instruction(.init(.jump, operand: UInt32(section.count))))
            items += section
        }
        items += Self.section(rest)
        return linked(items)
    }

    private static func section(_ ranges: [Span]) -> [Item] {
        let load = Item.instruction(.init(.load, operand: FilterInstruction.number))
        return (ranges.count > 1 ? [load] : []) + search(ranges[...])
    }

    private static func search(_ ranges: ArraySlice<Span>) -> [Item] {
        if let tree = Tree(ranges) { return tree.items }
        let middle = ranges.startIndex + ranges.count / 2
        let (below, above) = (search(ranges[..<middle]), search(ranges[middle...]))
        let far = Item.instruction(.init(.jump, operand: UInt32(below.count)))
        let choice = FilterInstruction(.ifNotLess, ifFalse: 1, operand: ranges[middle].first)
        return [.instruction(choice), far] + below + above
    }

    /// Comparisons, each of which goes on to a later one or to an outcome; the outcomes, each of them once, come last.
    private struct Tree {
        private var comparisons: [FilterInstruction] = []
        private var outcomes: [Outcome] = []
        private let count: Int

        /// - Returns: nil for more ranges than a comparison can jump over.
        init?(_ ranges: ArraySlice<Span>) {
            count = ranges.count - 1
            for range in ranges where !outcomes.contains(range.outcome) { outcomes.append(range.outcome) }
            guard count + outcomes.count <= Int(UInt8.max) else { return nil }
            _ = add(ranges)
        }

        /// - Returns: Where it begins.
        private mutating func add(_ ranges: ArraySlice<Span>) -> Int {
            let middle = ranges.startIndex + ranges.count / 2
            guard ranges.count > 1 else {
                return count + (outcomes.firstIndex(of: ranges[middle].outcome) ?? 0)
            }
            let place = comparisons.count
            comparisons.append(.init(.ifNotLess, operand: ranges[middle].first))
            let (below, above) = (add(ranges[..<middle]), add(ranges[middle...]))
            comparisons[place].ifFalse = UInt8(below - place - 1)
            comparisons[place].ifTrue = UInt8(above - place - 1)
            return place
        }

        var items: [Item] {
            comparisons.map(Item.instruction)
                + outcomes.map { outcome in
                    switch outcome {
                    case .verdict(let verdict): .instruction(.init(.verdict, operand: verdict))
                    case .arguments(let index): .arguments(at: index)
                    }
                }
        }
    }

    /// Puts those parts of the old program behind the new one that look at arguments.
    private func linked(_ items: [Item]) -> [FilterInstruction]? {
        var needed: Set<Int> = []
        for case .arguments(let index) in items { reach(index, &needed) }
        let order = needed.sorted()
        let places = [Int: Int](uniqueKeysWithValues: order.enumerated().map { ($1, items.count + $0) })
        var result: [FilterInstruction] = []
        for item in items {
            switch item {
            case .instruction(let instruction): result.append(instruction)
            case .arguments(let index):
                guard let place = places[index] else { return nil }
                result.append(.init(.jump, operand: UInt32(place - result.count - 1)))
            }
        }
        for index in order {
            guard let moved = moved(index, to: result.count, places) else { return nil }
            result.append(moved)
        }
        return result
    }

    /// The instruction with its jumps as long as they are at its new place.
    private func moved(_ index: Int, to place: Int, _ places: [Int: Int]) -> FilterInstruction? {
        var instruction = program[index]
        func distance(_ old: Int) -> Int? { places[index + 1 + old].map { $0 - place - 1 } }
        switch instruction.code {
        case .verdict: break
        case .load, .and: guard distance(0) == 0 else { return nil }
        case .jump:
            guard let distance = distance(Int(instruction.operand)) else { return nil }
            instruction.operand = UInt32(distance)
        case .ifEqual, .ifGreater, .ifNotLess, .ifAnyBit:
            guard let ifTrue = distance(Int(instruction.ifTrue)).flatMap(UInt8.init(exactly:)),
                let ifFalse = distance(Int(instruction.ifFalse)).flatMap(UInt8.init(exactly:))
            else { return nil }
            (instruction.ifTrue, instruction.ifFalse) = (ifTrue, ifFalse)
        }
        return instruction
    }

    /// Notes the instructions that may follow.
    private func reach(_ start: Int, _ needed: inout Set<Int>) {
        var open = [start]
        while let index = open.popLast() {
            guard index < program.count, needed.insert(index).inserted else { continue }
            let instruction = program[index]
            switch instruction.code {
            case .verdict: break
            case .load, .and: open.append(index + 1)
            case .jump: open.append(index + 1 + Int(instruction.operand))
            case .ifEqual, .ifGreater, .ifNotLess, .ifAnyBit:
                open += [index + 1 + Int(instruction.ifTrue), index + 1 + Int(instruction.ifFalse)]
            }
        }
    }
}
