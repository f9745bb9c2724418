// SPDX-License-Identifier: Apache-2.0
package import RuntimeSpec
internal import System

extension Cgroup {
    /// Gives the group its limits. Nil fields stay as they are.
    /// - Throws: `.missingController` for a limit whose controller this machine lacks; `.unsupported` for device
    ///   rules on a machine with version 2 alone, and for `unified` on one without it; `.system` for a value that
    ///   the kernel refuses.
    package func apply(_ resources: Resources) throws(CgroupError) {
        if layout.kind == .unified {
            guard resources.devices.allSatisfy(\.isAllowed) else {
                throw .unsupported("linux.resources.devices")
            }
            for setting in resources.unifiedSettings { try apply(setting) }
            return
        }
        guard resources.unified.isEmpty else { throw .unsupported("linux.resources.unified") }
        var settings = resources.legacySettings
        // Memory may never exceed memory with swap, so which of the two goes first depends on the present values.
        if settings.count > 1, settings[1].file == "memory.memsw.limit_in_bytes" {
            let pair = settings[..<2]
            settings.removeFirst(2)
            do throws(CgroupError) {
                for setting in pair { try apply(setting) }
            } catch {
                for setting in pair.reversed() { try apply(setting) }
            }
        }
        for setting in settings { try apply(setting) }
    }

    private func apply(_ setting: ResourceSetting) throws(CgroupError) {
        let found = setting.controller.isEmpty ? unifiedDirectory : directory(of: setting.controller)
        guard let directory = found else {
            if setting.isOptional { return }
            throw .missingController(setting.controller)
        }
        do throws(SystemError) {
            try Files.writeOnce(setting.value, to: directory + "/" + setting.file)
        } catch {
            guard error.code == 2 else { throw .system(error) }
            if setting.isOptional { return }
            guard Files.exists(directory) else { throw .system(error) }
            throw .missingController(setting.controller)
        }
    }
}
