// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec

extension Resources {
    /// Only what can be changed while processes run, and is changed by `petrel update`: memory, CPU, processes, and the
    /// weight of block IO.
    package var updatable: Resources {
        let weight = blockIO?.weight.map { BlockIO(weight: $0) }
        return Resources(memory: memory, cpu: cpu, pidsLimit: pidsLimit, blockIO: weight)
    }

    /// These limits, and for everything that `changed` limits and these do not, the kernel's own default: applying them
    /// takes back what applying `changed` did.
    package func undoing(_ changed: Resources) -> Resources {
        var result = updatable
        if let new = changed.memory {
            var memory = result.memory ?? Memory()
            if new.limit != nil { memory.limit = memory.limit ?? -1 }
            if new.swap != nil { memory.swap = memory.swap ?? -1 }
            if new.reservation != nil { memory.reservation = memory.reservation ?? -1 }
            result.memory = memory
        }
        if let new = changed.cpu {
            var cpu = result.cpu ?? CPU()
            if new.shares != nil { cpu.shares = cpu.shares ?? 1024 }
            if new.periodMicros != nil { cpu.periodMicros = cpu.periodMicros ?? 100_000 }
            if new.quotaMicros != nil { cpu.quotaMicros = cpu.quotaMicros ?? -1 }
            result.cpu = cpu
        }
        if changed.pidsLimit != nil { result.pidsLimit = result.pidsLimit ?? -1 }
        if changed.blockIO?.weight != nil, result.blockIO == nil {
            var blockIO = BlockIO()
            blockIO.hasDefaultWeight = true
            result.blockIO = blockIO
        }
        return result
    }
}
