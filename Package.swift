// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // What an actor calls stays on its thread, rather than going to the shared pool and back.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The linker visits an archive group until nothing more is undefined; the order in which SwiftPM passes libraries
/// is not enough for the static Foundation archives, which refer to each other in a circle.
func archiveGroup(_ libraries: [String]) -> [String] {
    (["--start-group"] + libraries.map { "-l" + $0 } + ["--end-group"]).flatMap { ["-Xlinker", $0] }
}

let swiftArchives = [
    "FoundationEssentials", "_FoundationCShims", "_FoundationCollections", "swiftSynchronization",
    "swiftDispatch",
    "dispatch", "BlocksRuntime", "swift_RegexParser", "swift_StringProcessing", "swift_Concurrency",
    "swiftCore",
    "swiftGlibc",
]
let foundationArchives = [
    "Foundation", "FoundationInternationalization", "_FoundationICU", "CoreFoundation",
    "_CFURLSessionInterface",
]
let smallBinary = ["-Xlinker", "--gc-sections"]

/// Daemons: static Swift, dynamic C library (name resolution needs it).
let staticSwift: [LinkerSetting] = [
    .unsafeFlags(["-static-stdlib"] + smallBinary + archiveGroup(foundationArchives + swiftArchives))
]
/// Helpers that start in about a millisecond and may fork: everything static.
let fullyStatic: [LinkerSetting] = [
    .unsafeFlags(["-static-executable"] + smallBinary + archiveGroup(swiftArchives))
]

/// The library that scripts/fuzz links with; nil in every other build.
let libFuzzer = Context.environment["PETREL_LIBFUZZER"]

/// - Parameters:
///   - isTestable: Tests may use its internal declarations, in the release build too: there is only one build, so that what
///     is tested is what ships.
///   - isHot: Its release build does not look for overlapping accesses to variables while it runs. Its classes are used on
///     one thread by structure, and the looking is a tenth of a call; the debug build and the fuzzers' look.
func module(
    _ path: String,
    _ dependencies: [Target.Dependency] = [],
    isTestable: Bool = false,
    isHot: Bool = false,
    linkage: [LinkerSetting] = []
) -> Target {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/" + path,
        exclude: ["Overview.md"],
        swiftSettings: strict + (isTestable ? [.unsafeFlags(["-enable-testing"])] : [])
            + (isHot && libFuzzer == nil
                ? [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))] : []),
        linkerSettings: linkage
    )
}

func program(_ name: String, _ linkage: [LinkerSetting], _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies,
        path: "Sources/Executables/" + name,
        swiftSettings: strict,
        linkerSettings: linkage
    )
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/" + name,
        exclude: exclude,
        swiftSettings: strict
    )
}

func library(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/" + name) }

func external(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package)
}

let nioCore = external("NIOCore", "swift-nio")
let nioPosix = external("NIOPosix", "swift-nio")
let nioTLS = external("NIOTLS", "swift-nio")
let nioEmbedded = external("NIOEmbedded", "swift-nio")
let heaps = external("HeapModule", "swift-collections")
let nioHTTP1 = external("NIOHTTP1", "swift-nio")
let nioSSL = external("NIOSSL", "swift-nio-ssl")
let logging = external("Logging", "swift-log")
let crypto = external("Crypto", "swift-crypto")
let database = external("GRDB", "GRDB.swift")
let lifecycle = external("ServiceLifecycle", "swift-service-lifecycle")
let unixSignals = external("UnixSignals", "swift-service-lifecycle")
let arguments = external("ArgumentParser", "swift-argument-parser")
let httpClient = external("AsyncHTTPClient", "async-http-client")

let bindings: [Target] = [
    library("CNGHTTP2"), library("CProtobufC"), library("CSeccomp"), library("CJansson"), library("CISAL"),
    library("CZstd"), library("CZlib"),
    .target(name: "CLinux", path: "Sources/C/CLinux"),
    .target(name: "CMessages", dependencies: ["CProtobufC"], path: "Sources/C/CMessages"),
]

let platform: [Target] = [
    module("Platform/System", ["CLinux"]),
    module("Platform/JSON", ["CJansson"]),
    module("Platform/Definitions"),
    module("Platform/OCI", ["JSON"]),
    module("Platform/Logs", ["System"], isTestable: true),
    module("Platform/Tar", ["System"]),
    module("Platform/FileTrees", ["System", "Tar"]),
    module("Platform/Messages", ["CMessages", "CProtobufC", "System"]),
    module("Platform/Suite", ["System"]),
    module("Platform/Events", ["System", heaps], isHot: true),
    module(
        "Platform/RPC",
        ["CNGHTTP2", "CZlib", "Definitions", "Events", "Messages", "System", logging],
        isHot: true,
        // What stands in for it: PlainText.swift.
        linkage: [.unsafeFlags(["-Xlinker", "--wrap=nghttp2_hd_huff_encode_count"])]
    ),
    module("Platform/Services", ["Messages", "RPC"]),
    module("Platform/Telemetry", ["RPC", "System", nioCore, nioHTTP1, nioPosix, logging]),
    module("Platform/TransportTLS", ["RPC", nioCore, nioEmbedded, nioSSL, nioTLS], isTestable: true),
]

let runtime: [Target] = [
    module("Runtime/RuntimeSpec", ["JSON"]),
    module("Runtime/Cgroups", ["RuntimeSpec", "System"]),
    module("Runtime/Seccomp", ["CSeccomp", "JSON", "RuntimeSpec", "System"]),
    module("Runtime/ContainerInit", ["System"]),
    module("Runtime/ContainerRuntime", ["Cgroups", "RuntimeSpec", "System"]),
]

let daemons: [Target] = [
    module(
        "Supervisor/Keeper",
        ["Cgroups", "ContainerRuntime", "Logs", "Messages", "RuntimeSpec", "Suite", "System"]
    ),
    module(
        "Supervisor/Copier",
        ["ContainerRuntime", "FileTrees", "Messages", "RuntimeSpec", "System", "Tar"]
    ),
    module(
        "Supervisor/SupervisorCore",
        ["Cgroups", "Suite", "Events", "JSON", "Messages", "RuntimeSpec", "Seccomp", "System", logging]
    ),
    module(
        "Supervisor/SupervisorService",
        ["Cgroups", "Messages", "RPC", "Services", "SupervisorCore", "System", logging]
    ),
    module("ImageStore/Layers", ["CISAL", "CZstd", "FileTrees", "OCI", "System", "Tar", crypto]),
    module("ImageStore/Registry", ["JSON", "OCI", httpClient, logging, nioCore, nioPosix], isTestable: true),
    module(
        "ImageStore/ImageStoreCore",
        [
            "Suite", "Events", "FileTrees", "JSON", "Layers", "OCI", "Registry", "System", "Tar", crypto,
            database,
            logging,
        ]
    ),
    module(
        "ImageStore/ImageStoreService",
        ["ImageStoreCore", "Layers", "Messages", "OCI", "RPC", "Registry", "Services", "System", "Tar"]
    ),
    module(
        "Engine/EngineCore",
        ["Suite", "Events", "JSON", "Logs", "OCI", "RuntimeSpec", "System", database, logging],
        isTestable: true
    ),
    module(
        "Engine/EngineService",
        ["EngineCore", "Messages", "RPC", "Services", "System", logging],
        isTestable: true
    ),
    module("Init/InitCore", ["Suite", "Messages", "System"]),
    module("CommandLine/Rendering", ["JSON", "System"]),
    module("CommandLine/DynamicMessages", ["Definitions", "JSON"]),
    module("CommandLine/MachineCheck", ["Cgroups", "JSON", "RuntimeSpec", "System"]),
    module("Generator/CodeGenerator", ["Definitions"], isTestable: true),
]

let daemonParts: [Target.Dependency] = [
    "Suite", "Events", "RPC", "Services", "System", "Telemetry", arguments, lifecycle, logging,
]

let programs: [Target] = [
    program(
        "petrel",
        fullyStatic,
        [
            "Suite", "Definitions", "DynamicMessages", "Events", "FileTrees", "JSON", "MachineCheck",
            "Messages", "RPC",
            "Rendering", "Services", "System", "Tar", arguments, logging,
        ]
    ),
    program("petrel-init", fullyStatic, ["Suite", "InitCore", "System"]),
    program("petrel-keeper", fullyStatic, ["Copier", "Keeper", "System"]),
    program("petrel-container-init", fullyStatic, ["ContainerInit", "System"]),
    program(
        "petrel-runtime-supervisor",
        staticSwift,
        ["Cgroups", "Seccomp", "SupervisorCore", "SupervisorService"] + daemonParts
    ),
    program(
        "petrel-image-store",
        staticSwift,
        ["ImageStoreCore", "ImageStoreService", "Registry"] + daemonParts
    ),
    program("petrel-engine", staticSwift, ["EngineCore", "EngineService", unixSignals] + daemonParts),
    program("protoc-gen-petrel", staticSwift, ["CodeGenerator", "System"]),
]

let suites: [Target] = [
    .target(name: "TestSupport", dependencies: ["System"], path: "Tests/TestSupport", swiftSettings: strict),
    .target(name: "CTestMessages", dependencies: ["CMessages", "CProtobufC"], path: "Tests/CTestMessages"),
    .target(
        name: "TestMessages",
        dependencies: ["CTestMessages", "Messages", "RPC"],
        path: "Tests/TestMessages",
        exclude: ["Proto"],
        swiftSettings: strict
    ),
    tests("CodeGeneratorTests", ["CodeGenerator", "Definitions"]),
    tests(
        "MessagesTests",
        ["Messages", "RPC", "System", "TestMessages", "TestSupport"],
        exclude: ["Python"]
    ),
    tests(
        "RPCTests",
        [
            "Definitions", "Events", "Messages", "RPC", "Services", "System", "TestMessages", "TestSupport",
            logging,
        ]
    ),
    tests("TelemetryTests", ["RPC", "Telemetry", "TestSupport"]),
    tests(
        "TransportTLSTests",
        ["RPC", "System", "TestMessages", "TestSupport", "TransportTLS", logging]
    ),
    tests("SystemTests", ["Logs", "Rendering", "System", "TestSupport"]),
    tests("LogsTests", ["Logs", "System"]),
    tests("CopierTests", ["Copier"]),
    tests("KeeperTests", ["JSON", "Keeper", "Logs", "Messages", "System"]),
    tests("InitCoreTests", ["InitCore", "System"]),
    tests("SuiteTests", ["InitCore", "Suite", "System", "TestSupport"]),
    tests(
        "SupervisorCoreTests",
        ["Events", "Messages", "RuntimeSpec", "SupervisorCore", "System", "TestSupport"]
    ),
    tests("EventsTests", ["Events", "System"]),
    tests("DefinitionsTests", ["Definitions"]),
    .testTarget(
        name: "DynamicMessagesTests",
        dependencies: ["Definitions", "DynamicMessages", "JSON"],
        path: "Tests/DynamicMessagesTests",
        exclude: ["Proto"],
        swiftSettings: strict
    ),
    tests("RenderingTests", ["JSON", "Rendering", "System"]),
    tests(
        "EngineCoreTests",
        [
            "EngineCore", "Events", "JSON", "Logs", "RuntimeSpec", "Suite", "System", "TestSupport", database,
            logging,
        ]
    ),
    tests("EngineServiceTests", ["EngineCore", "EngineService", "Messages", "RPC", "System"]),
    tests("JSONTests", ["JSON"]),
    tests("RuntimeSpecTests", ["JSON", "RuntimeSpec"]),
    tests("OCITests", ["OCI"]),
    tests("TarTests", ["System", "Tar", "TestSupport"]),
    tests("FileTreesTests", ["FileTrees", "System", "Tar", "TestSupport"]),
    tests("LayersTests", ["Layers", "OCI", "System", "Tar", "TestSupport"]),
    tests(
        "ImageStoreCoreTests",
        ["ImageStoreCore", "Layers", "OCI", "Registry", "System", "TestSupport", logging]
    ),
    tests("ImageStoreServiceTests", ["ImageStoreCore", "ImageStoreService"]),
    tests("RegistryTests", ["Registry", httpClient, nioCore]),
    tests("ContainerInitTests", ["ContainerInit", "System", "TestSupport"]),
    tests("CgroupsTests", ["Cgroups", "RuntimeSpec"]),
    tests("SeccompTests", ["JSON", "RuntimeSpec", "Seccomp", "System", "TestSupport"]),
    tests("ContainerRuntimeTests", ["ContainerRuntime", "JSON", "RuntimeSpec", "System"]),
    tests(
        "KernelTests",
        ["Cgroups", "ContainerRuntime", "JSON", "RuntimeSpec", "Seccomp", "System", "TestSupport"]
    ),
    .executableTarget(
        name: "runtime-probe",
        dependencies: ["Cgroups", "ContainerRuntime", "JSON", "RuntimeSpec", "Seccomp", "System"],
        path: "Tests/Probes/runtime-probe",
        swiftSettings: strict,
        linkerSettings: fullyStatic
    ),
    .executableTarget(
        name: "rpc-interop",
        dependencies: ["RPC", "System", "TestMessages", logging],
        path: "Tests/Probes/rpc-interop",
        swiftSettings: strict,
        linkerSettings: staticSwift
    ),
]

let benchmarks: [Target] = [
    .target(
        name: "CBenchmarkMessages",
        dependencies: ["CProtobufC"],
        path: "Benchmarks/rpc/CBenchmarkMessages"
    ),
    .target(
        name: "BenchmarkMessages",
        dependencies: ["CBenchmarkMessages", "Messages", "RPC"],
        path: "Benchmarks/rpc/BenchmarkMessages",
        swiftSettings: strict
    ),
    .executableTarget(
        name: "rpc-echo",
        dependencies: ["BenchmarkMessages", "Events", "Messages", "RPC", "System", arguments, logging],
        path: "Benchmarks/rpc/rpc-echo",
        swiftSettings: strict,
        linkerSettings: staticSwift
    ),
]

/// scripts/fuzz builds it, apart from all else: it is made with libFuzzer's instrumentation, and linked with its library.
let fuzzers: [Target] =
    libFuzzer.map { library in
        [
            .executableTarget(
                name: "fuzz",
                dependencies: ["Messages", "RPC", "System", "TestMessages", logging],
                path: "Tests/Fuzzing/Sources",
                swiftSettings: strict,
                linkerSettings: [.unsafeFlags([library, "-lstdc++", "-lm", "-use-ld=lld"])]
            )
        ]
    } ?? []

let package = Package(
    name: "petrel",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: bindings + platform + runtime + daemons + programs + suites + benchmarks + fuzzers
)
