// SPDX-License-Identifier: Apache-2.0

/// The log option `tag`: text with fields in double braces, which `logs --details` shows.
struct LogTag: Hashable {
    /// As the Docker engine names them.
    private enum Field: String, CaseIterable {
        case id = "ID"
        case fullID = "FullID"
        case name = "Name"
        case imageID = "ImageID"
        case imageFullID = "ImageFullID"
        case imageName = "ImageName"
        case daemonName = "DaemonName"
    }

    private enum Part: Hashable {
        case text(String)
        case field(Field)
    }

    private static let limitBytes = 1024

    private let parts: [Part]

    /// - Throws: `.invalidField` for another field, or none.
    init(_ template: String) throws(EngineError) {
        guard template.utf8.count <= Self.limitBytes else {
            throw .invalidField("log option", "tag is longer than \(Self.limitBytes) bytes")
        }
        var parts: [Part] = []
        var rest = template[...]
        while let open = rest.firstRange(of: "{{") {
            parts.append(.text(String(rest[..<open.lowerBound])))
            let inner = rest[open.upperBound...]
            guard let close = inner.firstRange(of: "}}"),
                let field = Self.field(inner[..<close.lowerBound])
            else {
                let known = Field.allCases.map { "{{.\($0.rawValue)}}" }.joined(separator: ", ")
                throw .invalidField(
                    "log option",
                    "invalid value for tag: \(template)",
                    advice: "use \(known)"
                )
            }
            parts.append(.field(field))
            rest = inner[close.upperBound...]
        }
        self.parts = parts + [.text(String(rest))]
    }

    private static func field(_ text: Substring) -> Field? {
        let name = text.filter { $0 != " " }
        return name.hasPrefix(".") ? Field(rawValue: String(name.dropFirst())) : nil
    }

    func text(for row: ContainerRow) -> String {
        let image = row.imageID.split(separator: ":").last.map(String.init) ?? ""
        return parts.map { part in
            switch part {
            case .text(let text): text
            case .field(.id): String(row.id.text.prefix(12))
            case .field(.fullID): row.id.text
            case .field(.name): row.name
            case .field(.imageID): String(image.prefix(12))
            case .field(.imageFullID): row.imageID
            case .field(.imageName): row.settings.image
            case .field(.daemonName): "petrel"
            }
        }.joined()
    }
}
