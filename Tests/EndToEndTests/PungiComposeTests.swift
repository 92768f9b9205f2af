import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// Composes made from other composes: a large one from small ones.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct PungiComposeTests {
    private var server: ServerProcess { get throws { try SharedService.current.server } }

    /// Composes from other composes of the same service, by their addresses.
    private func merge(_ sources: [FinishedCompose], _ members: String = "") async throws -> FinishedCompose {
        let shared = try SharedService.current
        let source = sources.map(\.document.resultRepo).joined(separator: " ")
        let answer = try await shared.server.post(
            "{\"source\": {\"type\": \"pungi_compose\", \"source\": \"\(source)\"}, \"flags\": [\"no_reuse\"]\(members)}")
        #expect(answer.status == 200, "\(answer.text)")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        _ = try await shared.service.await(id, .done, .failed)
        return FinishedCompose(document: try await shared.server.compose(id), in: shared.service.composes)
    }

    @Test("several composes of this service become one that has the packages, debuginfo and sources of them all, each once")
    func merged() async throws {
        let ed = try await SharedService.compose("ed")
        let tools = try await SharedService.compose("ed-tools", "libed-devel")
        let merged = try await merge([ed, tools])
        #expect(merged.state == "done", "\(merged.reason)")
        for tree in ["x86_64/os", "x86_64/debug/tree", "source/tree"] {
            #expect(try merged.packages(tree) == Set(ed.packages(tree) + tools.packages(tree)).sorted())
        }
        #expect(merged.document.source == "\(ed.document.resultRepo) \(tools.document.resultRepo)")
        try await Dnf.with { dnf in
            try await dnf.add(merged, by: server)
            let seen = try await dnf.packages(in: merged.layout.directory)
            #expect(try seen.packages == merged.packages())
            #expect(seen.complaints == "")
        }
    }

    @Test("files of this service's own composes are hard links, as those of any repository on its disks are")
    func hardLinks() async throws {
        let ed = try await SharedService.compose("ed")
        let merged = try await merge([ed])
        func inode(_ compose: FinishedCompose) throws -> Int? {
            let file = compose.repository("x86_64/os").appending("Packages/e/ed-1.20-3.x86_64.rpm")
            return try FileManager.default.attributesOfItem(atPath: file.string)[.systemFileNumber] as? Int
        }
        #expect(try inode(merged) == inode(ed))
    }

    @Test("a merged compose can be merged again, and outlives the one that it was made from")
    func mergedAgain() async throws {
        let shared = try SharedService.current
        let ed = try await SharedService.compose("ed")
        let merged = try await merge([ed])
        let again = try await merge([merged])
        let packages = try ed.packages()
        #expect(packages.count == 3)
        #expect(try again.packages() == packages)
        let deleted = try await shared.server.http(.DELETE, "/api/1/composes/\(ed.document.id)")
        #expect(deleted.status == 202)
        _ = try await shared.service.await(ed.document.id, .removed)
        #expect(try merged.packages() == packages)
        #expect(try await shared.server.http(.GET, "\(merged.url("x86_64/os"))/Packages/e/ed-1.20-3.x86_64.rpm").status == 200)
    }

    @Test("packages may be chosen from other composes, with what they need")
    func chosen() async throws {
        let everything = try await SharedService.current.compose(from: Checkout.testsRepo.string, [])
        let chosen = try await merge(
            [everything],
            ", \"source\": {\"type\": \"pungi_compose\", \"source\": \"\(everything.document.resultRepo)\", \"packages\": [\"ed\"]}")
        #expect(try chosen.packages() == ["ed-1.20-3.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
    }

    @Test("a compose that is no longer there is named")
    func absent() async throws {
        let shared = try SharedService.current
        let ed = try await SharedService.compose("ed")
        let missing = ed.document.resultRepo.replacing("/odcs-\(ed.document.id)/", with: "/odcs-999999/")
        let answer = try await shared.server.post("{\"source\": {\"type\": \"pungi_compose\", \"source\": \"\(missing)\"}}")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        let failed = try await shared.service.await(id, .done, .failed)
        #expect(failed.state == .failed)
        #expect(failed.failure?.code == .sourceNotUsable)
        #expect(
            failed.stateReason
                == "There is no metadata/rpms.json beside \(missing): is it the place of a variant of a finished compose, such as …/compose/Server? "
                + "Of this service's own composes that is what they have as result_repo.")
        #expect(try shared.service.traces(of: id) == [])
    }

    @Test("the service is known by localhost too, where it listens on this host alone")
    func localhost() async throws {
        let shared = try SharedService.current
        let ed = try await SharedService.compose("ed")
        let source = ed.document.resultRepo.replacing("//127.0.0.1:", with: "//localhost:")
        let answer = try await shared.server.post("{\"source\": {\"type\": \"pungi_compose\", \"source\": \"\(source)\"}}")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        #expect(try await shared.service.await(id, .done, .failed).state == .done)
    }

    @Test(
        "what lies beside the composes, as an attempt that is still being built does, and any address that is not allowed, is refused at once"
    )
    func refused() async throws {
        let shared = try SharedService.current
        let beside = ["\(shared.server.url)/composes/.work/odcs-1.x/compose/Temporary", "\(shared.server.url)/composes/private"]
        for source in beside + ["http://127.0.0.1:1/compose/Server"] {
            let answer = try await shared.server.post("{\"source\": {\"type\": \"pungi_compose\", \"source\": \"\(source)\"}}")
            #expect(answer.status == 400)
            #expect(try answer.message.contains("may not be read"))
        }
    }
}
