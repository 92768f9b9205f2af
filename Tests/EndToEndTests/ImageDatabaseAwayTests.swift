import ComposeStore
import ComposeTestKit
import EmbeddedPostgres
import Foundation
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

/// The database goes away while an image is built, and comes back.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ImageDatabaseAwayTests {
    /// Runs a service that builds images, on a cluster of its own. `body` gets the number of a build whose
    /// only RUN waits at the gate.
    private func with(
        lease seconds: Int,
        _ body:
            @escaping @Sendable (EmbeddedPostgres, ImageService, ServerProcess, _ build: Int, BuildGate, ProcessMark) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let postgres = EmbeddedPostgres(directory: directory.path.appending("postgresql"), durable: false, logger: .silent)
        let address = try await postgres.start()
        let outcome: Result<Void, any Error>
        do {
            try await ImageService.with(more: "worker: {lease_seconds: \(seconds)}", at: address) { images in
                try await images.serve { server in
                    let (gate, mark) = (try await images.gate(server), ProcessMark())
                    let folder = try images.folder("app", "FROM \(try await images.base(server))\n\(gate.instruction(mark))\n")
                    try await server.succeed("image", "add", "team/app", folder.string)
                    let build: BuildDocument = try await server.document("image", "build", "team/app", "--compose", "1", "--no-wait")
                    try await body(postgres, images, server, build.id, gate, mark)
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await postgres.stop()
        try outcome.get()
    }

    /// Checks that a build is done after two attempts, and that its tags show it.
    private func expectDone(_ id: Int, _ images: ImageService, _ server: ServerProcess) async throws {
        try await server.succeed("image", "wait", "\(id)")
        let build = try #require(try await images.service.store.build(id))
        #expect(build.state == .done)
        #expect(build.steps.map(\.attempts) == [2, 1])
        for tag in ["latest", build.dateTag.text] {
            let shown = try await images.digest("team/app", tag: tag)
            #expect(shown == build.digest, "\(tag)")
        }
        // The service goes on as before.
        try await server.succeed("image", "build", "team/base")
    }

    @Test("a RUN that outlasts its lease is ended, no tag moves, and the image is built when the database is back")
    func duringRun() async throws {
        try await with(lease: 5) { postgres, images, server, id, gate, mark in
            let run = try await gate.awaitRun()
            try await postgres.stop()
            #expect(try await mark.awaitEnd())
            try run.close()
            let latest = try await images.digest("team/app")
            #expect(latest == nil)
            _ = try await postgres.start()
            try await gate.awaitRun().open()
            try await expectDone(id, images, server)
        }
    }

    @Test("an image that was pushed while the database was away is not built again, and its tags move when the database is back")
    func duringPush() async throws {
        try await with(lease: 15) { postgres, images, server, id, gate, _ in
            let build = try #require(try await images.service.store.build(id))
            let run = try await gate.awaitRun()
            try await postgres.stop()
            try run.open()
            // The database cannot tell the end of the step, but the worker's log does. That of the build gets no
            // line if the lease is in doubt, as on a busy host.
            await server.logs("could not record how the step ended")
            let pushed = try await images.digest("team/app", tag: build.tag(of: .host).text)
            #expect(pushed != nil)
            let latest = try await images.digest("team/app")
            #expect(latest == nil)
            _ = try await postgres.start()
            try await expectDone(id, images, server)
            let done = try #require(try await images.service.store.build(id))
            #expect(done.steps.first?.digest == pushed)
            let log = try images.log(of: id)
            #expect(log.ranges(of: "odcs: The image was built in").count == 1, "\(log)")
            #expect(log.ranges(of: "Only the push is repeated.").count == 1)
        }
    }
}
