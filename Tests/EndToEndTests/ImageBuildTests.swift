import ComposeModel
import ComposeStore
import Foundation
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

/// Builds of images by a whole service, when something ends in the middle.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ImageBuildTests {
    /// Asks for a build of an image with one RUN, which waits at the gate.
    private static func submit(_ mark: ProcessMark, at gate: BuildGate, _ images: ImageService, _ server: ServerProcess) async throws -> Int
    {
        let folder = try images.folder("app", "FROM \(try await images.base(server))\n\(gate.instruction(mark))\n")
        try await server.succeed("image", "add", "team/app", folder.string)
        let build: BuildDocument = try await server.document("image", "build", "team/app", "--compose", "1", "--no-wait")
        return build.id
    }

    @Test("kill -9 of the whole server during a RUN leaves no process, and another server builds the image")
    func killed() async throws {
        try await ImageService.with(more: "worker: {lease_seconds: 3600}") { images in
            let mark = ProcessMark()
            let (id, gate) = try await images.serve { server in
                let gate = try await images.gate(server)
                let id = try await Self.submit(mark, at: gate, images, server)
                let run = try await gate.awaitRun()
                #expect(try !mark.isGone)
                await server.kill()
                #expect(try await mark.awaitEnd())
                try run.close()
                return (id, gate)
            }
            try await images.serve { server in
                let run = try await gate.awaitRun()
                try run.open()
                try await server.succeed("image", "wait", "\(id)")
                let shown = try await server.succeed("image", "builds", "\(id)").output
                #expect(shown.contains("2 attempts"), "\(shown)")
                let log = try await server.succeed("image", "log", "\(id)").output
                #expect(log.contains("odcs: This is attempt 2."))
                #expect(log.contains("\nopened\n"))
            }
            #expect(try mark.isGone)
        }
    }

    @Test("images and uploaded contexts are below the path of the registry that the configuration names")
    func path() async throws {
        try await ImageService.with(below: "/deep") { images in
            try await images.serve { server in
                let folder = try images.folder("app", "FROM scratch\nCOPY data /data\n")
                try "text".write(toFile: folder.appending("data").string, atomically: true, encoding: .utf8)
                try await server.succeed("image", "add", "team/app", folder.string)
                try await server.succeed("image", "build", "team/app")
                let digest = try await images.digest("deep/team/app")
                #expect(digest != nil)
                let removed = try await server.succeed("image", "remove", "team/app").output
                #expect(removed == "\(images.registry.host)/deep/team/app is built no more.\n")
                #expect(try await server.succeed("image", "list").output == "")
            }
        }
    }

    @Test("a canceled build ends with all its processes, and says by whom")
    func canceled() async throws {
        try await ImageService.with { images in
            try await images.serve { server in
                let mark = ProcessMark()
                let gate = try await images.gate(server)
                let id = try await Self.submit(mark, at: gate, images, server)
                let run = try await gate.awaitRun()
                #expect(try !mark.isGone)
                try await server.succeed("image", "cancel", "\(id)")
                #expect(try await mark.awaitEnd())
                try run.close()
                let build: BuildDocument = try await server.document("image", "builds", "\(id)")
                #expect(build.stateName == "failed")
                #expect(build.stateReason == "Canceled by unknown")
                #expect(build.steps.map(\.stateName) == ["failed", "failed"])
                // The slot is free again.
                try await server.succeed("image", "build", "team/base")
                let latest = try await images.digest("team/app")
                #expect(latest == nil)
            }
        }
    }

    @Test("a registry that is away when a build is pushed gets the image once it is back, and nothing is built twice")
    func registryAway() async throws {
        try await ImageService.with(more: "worker: {attempts: 1}") { images in
            try await images.serve { server in
                let gate = try await images.gate(server)
                let id = try await Self.submit(ProcessMark(), at: gate, images, server)
                let run = try await gate.awaitRun()
                let waiting = try await images.registry.whileAway {
                    try run.open()
                    return try await images.await(build: id) {
                        $0.state.isFinal || $0.steps.first.map { $0.state == .wait && $0.attempts == 1 } ?? false
                    }
                }
                #expect(waiting.state == .building, "\(waiting.stateReason ?? "")")
                let reason = waiting.steps.first?.stateReason ?? ""
                #expect(reason.hasSuffix(": The registry \(images.registry.host) does not answer: connection refused."), "\(reason)")
                try await server.succeed("image", "wait", "\(id)")
                let log = try images.log(of: id)
                #expect(log.ranges(of: "odcs: The image was built in").count == 1, "\(log)")
                #expect(log.ranges(of: "Only the push is repeated.").count == 1)
                #expect(log.ranges(of: "odcs: The image is pushed as").count == 1)
                let build = try #require(try await images.service.store.build(id))
                #expect(build.steps.first?.attempts == 2)
                #expect(try await images.digest("team/app") == build.digest)
            }
        }
    }
}
