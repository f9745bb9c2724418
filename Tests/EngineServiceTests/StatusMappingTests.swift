// SPDX-License-Identifier: Apache-2.0
import EngineCore
import Messages
import RPC
import System
import Testing

@testable import EngineService

struct StatusMappingTests {
    static let id = ContainerID.random()

    @Test(
        arguments: [
            (
                EngineError.containerNotFound("foo"), StatusCode.notFound, "container_not_found",
                "no such container: foo"
            ),
            (
                .nameTaken("x", holder: id), .alreadyExists, "name_taken",
                "conflict: name \"x\" is in use by container \(id.short)"
            ),
            (
                .ambiguousPrefix("a", candidates: ["ab (x)", "ac (y)"]), .invalidArgument, "ambiguous_prefix",
                "the id prefix \"a\" fits several containers: ab (x), ac (y)"
            ),
            (
                .startFailed(id, code: 127, reason: "execve nope: ENOENT"), .failedPrecondition,
                "start_failed_not_found",
                "failed to start container \(id.short): execve nope: ENOENT"
            ),
            (
                .execFailed(id, code: 126, reason: "cwd /x: ENOENT"), .failedPrecondition,
                "exec_failed_not_executable", "failed to execute: cwd /x: ENOENT"
            ),
            (
                .execFailed(id, code: 127, reason: "execve nope: ENOENT"), .failedPrecondition,
                "exec_failed_not_found", "failed to execute: execve nope: ENOENT"
            ),
            (
                .noCommand(image: "i"), .invalidArgument, "no_command",
                "no command specified: image i has neither entrypoint nor command"
            ),
            (.imageNotFound("i"), .notFound, "image_not_found", "no such image: i"),
            (
                .imageInUse("i", container: id, name: "web", isRunning: true), .failedPrecondition,
                "image_in_use",
                "conflict: image i is used by running container web (\(id.short))"
            ),
        ] as [(EngineError, StatusCode, String, String)]
    )
    func errorsHaveStatusDetailAndText(
        _ error: EngineError,
        _ code: StatusCode,
        _ reason: String,
        _ text: String
    ) {
        let status = StatusMapping.status(of: error)
        #expect(status.code == code && status.message == text)
        #expect(status.detail?.reason == reason && status.detail?.advice.isEmpty == false)
    }

    @Test func kernelErrorsKeepPathAndNumber() {
        let status = StatusMapping.status(of: EngineError.file(SystemError("openat", path: "/x", code: 28)))
        #expect(
            status.code == .resourceExhausted && status.detail?.path == "/x" && status.detail?.errno == 28
        )
    }

    @Test func peersErrorsPassWithTheirDetail() {
        let detail = PeerError.Detail(
            reason: "bad_layer",
            subject: "l",
            path: "/p",
            errorNumber: 5,
            advice: "do"
        )
        let error = PeerError(daemon: "image store", kind: .dataLoss, message: "digest", detail: detail)
        let status = StatusMapping.status(of: error)
        #expect(
            status.code == .dataLoss && status.message == "digest" && status.detail?.reason == "bad_layer"
        )
    }

    @Test func anAbsentPeerIsNamed() {
        let error = PeerError(daemon: "supervisor", kind: .unavailable, message: "refused")
        let status = StatusMapping.status(of: error)
        #expect(status.code == .deadlineExceeded && status.message.contains("supervisor"))
    }

    @Test func requestsBecomeSettings() throws {
        var config = EngineV1.ContainerConfig(image: "i", entrypointSet: true, command: ["c"])
        config.limits = EngineV1.Limits(memoryBytes: 7, nanoCpus: 8, pids: -1)
        config.restartPolicy = EngineV1.RestartPolicy(name: "on-failure", maximumRetries: 4)
        config.volumes = [EngineV1.Volume(source: "/s", target: "/t", readOnly: true, createSource: true)]
        let settings = try ContainerSettings(config)
        #expect(settings.entrypoint == [] && settings.command == ["c"] && settings.limits.processes == -1)
        #expect(settings.restart.mode == .onFailure && settings.restart.maximumRetries == 4)
        #expect(settings.binds.first?.readOnly == true && settings.network == .none)
        #expect(try ContainerSettings(EngineV1.ContainerConfig()).entrypoint == nil)
        config.network = "bridge"
        #expect(throws: EngineError.networkNotFound("bridge")) { try ContainerSettings(config) }
    }
}
