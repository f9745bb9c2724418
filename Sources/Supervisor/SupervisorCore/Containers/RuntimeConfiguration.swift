// SPDX-License-Identifier: Apache-2.0
package import JSON
package import RuntimeSpec

/// The container's `config.json`, made of what its owner gave: checked, with the places set that are the
/// supervisor's.
package struct RuntimeConfiguration: Sendable {
    package let json: JSON
    package let specification: ContainerSpec

    package static let maximumBytes = 4 << 20

    /// - Parameters:
    ///   - cgroupPath: Below each hierarchy: "petrel-SUITE/ID".
    ///   - rootPath: Where the keeper mounts the root file system.
    ///   - resources: An object that takes the place of `linux.resources`; empty: that itself.
    package init(
        _ text: [UInt8],
        cgroupPath: String,
        rootPath: String,
        resources: [UInt8] = []
    ) throws(SupervisorError) {
        guard text.count <= Self.maximumBytes else {
            throw .invalidField(name: "spec_json", reason: "larger than \(Self.maximumBytes) bytes")
        }
        var json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: text)
        } catch {
            throw .invalidField(name: "spec_json", reason: error.description)
        }
        guard var object = json.object else {
            throw .invalidField(name: "spec_json", reason: "must be an object")
        }
        var root = object["root"]?.object ?? JSON.Object()
        root["path"] = .string(rootPath)
        object["root"] = .object(root)
        var linux = object["linux"]?.object ?? JSON.Object()
        linux["cgroupsPath"] = .string("/" + cgroupPath)
        if !resources.isEmpty { linux["resources"] = try Self.object(resources, "resources_json") }
        object["linux"] = .object(linux)
        json = .object(object)
        do throws(SpecError) {
            specification = try ContainerSpec(json)
        } catch {
            throw .invalidField(name: "spec_json", reason: error.description)
        }
        guard specification.process != nil else {
            throw .invalidField(name: "spec_json", reason: "process: must be given")
        }
        self.json = json
    }

    /// What the keeper reads: without the rules of the filter, which it has as a program, and which are most of it.
    package var keeperText: [UInt8] {
        guard var object = json.object, var linux = object["linux"]?.object,
            var filter = linux["seccomp"]?.object
        else { return json.serialized() }
        filter["syscalls"] = []
        linux["seccomp"] = .object(filter)
        object["linux"] = .object(linux)
        return JSON.object(object).serialized()
    }

    /// `linux.resources` with the members of `change` put over it, those of memory, cpu and pids one by one.
    package func resources(changedBy change: [UInt8]) throws(SupervisorError) -> [UInt8] {
        var result = json["linux"]?["resources"]?.object ?? JSON.Object()
        for (key, value) in try Self.object(change, "resources_json").object ?? JSON.Object() {
            guard let inner = value.object else {
                result[key] = value
                continue
            }
            var members = result[key]?.object ?? JSON.Object()
            for (name, member) in inner { members[name] = member }
            result[key] = .object(members)
        }
        return JSON.object(result).serialized()
    }

    private static func object(_ text: [UInt8], _ field: String) throws(SupervisorError) -> JSON {
        guard text.count <= 1 << 20, let json = try? JSON(parsing: text), json.object != nil else {
            throw .invalidField(name: field, reason: "must be a JSON object of at most 1 MiB")
        }
        return json
    }

    package var isTerminal: Bool { specification.process?.terminal ?? false }
}
