// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// A package of its own, so that Petrel itself does not depend on what it is only compared with.
import PackageDescription

let package = Package(
    name: "codec",
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0")
    ],
    targets: [
        .executableTarget(
            name: "codec",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            path: "Sources/codec",
            swiftSettings: [.swiftLanguageMode(.v6)]
        )
    ]
)
