import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// The disk that composes are written to is full, or cannot be written.
@Suite(.enabled(if: geteuid() == 0, "only root can mount a small disk"), .timeLimit(.minutes(3)))
struct DiskTests {
    /// Runs a service whose composes go to a disk of its own.
    private func with(
        size: String, worker: String, _ body: @escaping @Sendable (TestService, ServerProcess, FilePath) async throws -> Void
    ) async throws {
        let parent = try TemporaryDirectory()
        defer { parent.remove() }
        let disk = parent.path
        try await Program.succeed("mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", disk.string)
        let outcome: Result<Void, any Error>
        do {
            try await TestService.running(
                more: """
                    composes: {targets: {default: {directory: "\(disk)"}}}
                    worker: {\(worker)}
                    """
            ) { service, server in try await body(service, server, disk) }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await Program.succeed("umount", disk.string)
        try outcome.get()
    }

    private static func remount(_ disk: FilePath, _ options: String) async throws {
        try await Program.succeed("mount", "-o", "remount,\(options)", disk.string)
    }

    private static let isFull = "This service's disk is full. The operator of this service has to make room."

    @Test("a compose that does not fit fails, and nothing of it stays in the way of the next")
    func full() async throws {
        try await with(size: "24k", worker: "attempts: 1, slots: 1") { _, server, disk in
            let failed = try await server.compose("repo", Checkout.testsRepo.string, "ed")
            #expect(failed.stateName == "failed")
            #expect(failed.stateReason == Self.isFull)
            #expect(failed.failure?.code == .storage)
            #expect(server.logged.contains(#/ warning odcs: code=storage .*compose failed/#), "\(server.logged)")

            try await Self.remount(disk, "size=16m")
            let good = try await server.compose("repo", Checkout.testsRepo.string, "ed")
            #expect(good.stateName == "done")
            let names = try FileManager.default.contentsOfDirectory(atPath: disk.string).sorted()
            #expect(names == [".logs", ".odcs-target", ".work", "latest-odcs-\(good.id)-1", "odcs-\(good.id)"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk.appending(".work").string) == [])
        }
    }

    @Test("a disk that cannot be written fails the compose before it begins")
    func readOnly() async throws {
        try await with(size: "16m", worker: "attempts: 1, slots: 1") { _, server, disk in
            try await Self.remount(disk, "ro")
            let failed = try await server.compose("repo", Checkout.testsRepo.string, "ed")
            #expect(failed.stateName == "failed")
            #expect(
                failed.stateReason
                    == "The server may not write to the disk that composes are written to; the operator of this server can help.")
            try await Self.remount(disk, "rw")
            #expect(try await server.compose("repo", Checkout.testsRepo.string, "ed").stateName == "done")
        }
    }

    @Test("a target directory that is unmounted while the service runs gets no compose, and is used again when it is back")
    func unmounted() async throws {
        try await with(size: "16m", worker: "attempts: 1, slots: 1") { _, server, disk in
            // A disk that is mounted above hides the one of the service.
            try await Program.succeed("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.string)
            let outcome: Result<Void, any Error>
            do {
                let failed = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                #expect(failed.stateName == "failed")
                #expect(
                    failed.stateReason
                        == "The target directory default is not the one that this service uses. "
                        + "The operator of this service has to mount it again.")
                #expect(try FileManager.default.contentsOfDirectory(atPath: disk.string) == [])
                let ready = try await server.http(.GET, "/readyz")
                #expect(ready.status == 503)
                #expect(
                    ready.text.contains("The target directory default is not the one that this service uses. It may have been unmounted."))
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await Program.succeed("umount", disk.string)
            try outcome.get()
            #expect(try await server.http(.GET, "/readyz").status == 200)
            #expect(try await server.compose("repo", Checkout.testsRepo.string, "ed").stateName == "done")
        }
    }

    @Test("a compose that does not fit is tried again, and is done once there is room")
    func triedAgain() async throws {
        try await with(size: "24k", worker: "attempts: 100, retry_seconds: 1") { service, server, disk in
            let id = try await server.submit("repo", Checkout.testsRepo.string, "ed").id
            let waiting = try await service.await(id) { $0.stateReason != nil }
            let text = try #require(waiting.stateReason)
            #expect(
                text.replacing(/^Attempt \d+ of 100/, with: "Attempt N of 100")
                    == "Attempt N of 100 failed and will be repeated shortly: \(Self.isFull)")
            try await Self.remount(disk, "size=16m")
            #expect(try await service.await(id, .done, .failed).state == .done)
        }
    }
}
