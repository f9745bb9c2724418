// SPDX-License-Identifier: Apache-2.0
internal import Definitions

/// What the protobuf compiler asks for: its `CodeGeneratorRequest`.
///
/// All of its files are plain proto3.
struct GeneratorRequest {
    struct File {
        let definition: FileDefinition
        /// The `FileDescriptorProto` that it was read from.
        let bytes: ArraySlice<UInt8>
    }

    let wire: WireFields
    let parameter: String
    /// The names of the files to generate.
    let wanted: Set<String>
    /// Each comes after its imports.
    let files: [File]

    /// - Throws: `.unreadable`; `.unsupported` with the first thing that cannot be served, in imported files too.
    init(_ wire: WireFields) throws(GeneratorError) {
        self.wire = wire
        do throws(DefinitionError) {
            parameter = try wire.text(2, of: "parameter") ?? ""
            wanted = Set(wire.all(1).map { String(decoding: $0, as: UTF8.self) })
            var files: [File] = []
            for bytes in wire.all(15) {
                files.append(File(definition: try FileDefinition(serialized: Array(bytes)), bytes: bytes))
            }
            self.files = files
        } catch {
            throw .unreadable(error)
        }
        try Proto3.check(files.map(\.definition), wanted: wanted)
    }

    /// Those to generate.
    var definitions: [FileDefinition] { files.map(\.definition).filter { wanted.contains($0.name) } }
}
