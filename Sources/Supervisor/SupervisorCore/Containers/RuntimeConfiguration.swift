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
    package init(_ text: [UInt8], cgroupPath: String, rootPath: String) throws(SupervisorError) {
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

    package var isTerminal: Bool { specification.process?.terminal ?? false }
}
