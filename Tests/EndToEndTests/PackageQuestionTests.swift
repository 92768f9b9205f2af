import ComposeModel
import Foundation
import ImageModel
import Koji
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// Why a package is in a compose, and how two composes differ.
@Suite(.timeLimit(.minutes(5))) struct PackageQuestionTests {
    private static func why(_ id: Int, _ name: String, _ server: ServerProcess) async throws -> ComposeWhyDocument {
        let answer = try await server.http(.GET, "/api/1/composes/\(id)/why?package=\(name)")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(ComposeWhyDocument.self, from: answer.body)
    }

    private static func difference(_ from: Int, _ to: Int, _ server: ServerProcess) async throws -> ComposeDifferenceDocument {
        let answer = try await server.http(.GET, "/api/1/diff?from=\(from)&to=\(to)")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(ComposeDifferenceDocument.self, from: answer.body)
    }

    @Test("each package of a compose has a way to the request, and each link of it is the reason in the lock file")
    func chains() async throws {
        try await SharedService.with(more: "") { shared in
            let document = try await shared.server.compose("repo", Checkout.testsRepo.string, "ed", "ed-suite")
            let compose = FinishedCompose(document: document, in: shared.service.composes)
            #expect(compose.state == "done", "\(compose.reason)")
            let reasons = try compose.lock.why
            #expect(reasons.count > 3)
            var longest = 0
            for package in try compose.lock.packages {
                let name = try #require(InstalledPackage(nevra: package.nevra, module: nil)).name
                let why = try await Self.why(compose.document.id, name, shared.server)
                let found = try #require(why.packages.first { $0.package == package.nevra })
                #expect(found.checksum == package.checksum && found.path == package.path && found.size == package.size)
                #expect(found.source == Checkout.testsRepo.string)
                #expect(found.chain.first?.package == package.nevra)
                #expect(["requested", "builtFrom"].contains(found.chain.last?.kind))
                for (link, next) in zip(found.chain, found.chain.dropFirst()) { #expect(link.why.contains(next.package)) }
                #expect(found.chain.allSatisfy { reasons[$0.package] == $0.why })
                longest = max(longest, found.chain.count)
            }
            #expect(longest > 1)
        }
    }

    @Test("a package that is not there, a compose without packages and a question without a name each get a clear answer")
    func refusals() async throws {
        try await SharedService.with(more: "") { shared in
            let server = shared.server
            let done = try await server.compose("repo", Checkout.testsRepo.string, "ed")
            let failed = try await server.compose("repo", Checkout.testsRepo.string, "no-such-package")
            func answer(_ path: String) async throws -> (Int, String) {
                let answer = try await server.http(.GET, path)
                let document = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
                return (answer.status, document?["message"] as? String ?? "")
            }
            let absent = try await answer("/api/1/composes/\(done.id)/why?package=edd")
            #expect(absent.0 == 404)
            #expect(absent.1.hasSuffix("The nearest name is \"ed\"."))
            #expect(
                try await answer("/api/1/composes/\(failed.id)/why?package=ed") == (
                    404, "Compose \(failed.id) has failed, so it has no packages. Its state_reason says why."
                ))
            #expect(try await answer("/api/1/composes/\(done.id)/why").0 == 400)
            #expect(try await answer("/api/1/composes/999999/why?package=ed").0 == 404)
            #expect(try await answer("/api/1/diff?from=\(done.id)").0 == 400)
            #expect(try await answer("/api/1/diff?from=\(done.id)&to=soon").0 == 400)
            #expect(try await answer("/api/1/diff?from=\(done.id)&to=\(failed.id)").0 == 404)
            _ = try await server.http(.DELETE, "/api/1/composes/\(done.id)")
            _ = try await shared.service.await(done.id, .removed)
            #expect(
                try await answer("/api/1/composes/\(done.id)/why?package=ed") == (
                    404, "The files of compose \(done.id) are removed. Renew it, and ask about the new compose."
                ))
        }
    }

    @Test("the difference of two composes names each package, the direction of its change, and the input that changed")
    func difference() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            func compose() async throws -> Int { try await shared.server.compose("repo", repository.location, "ed-dictionary").id }
            let first = try await compose()
            try await repository.index(excluding: "*-2.0-1*")
            let second = try await compose()

            let older = try await Self.difference(first, second, shared.server)
            #expect(older.pins.map(\.input) == [repository.location])
            #expect(!older.isOtherRequest)
            let tree = try #require(older.trees.first { $0.tree == "x86_64" })
            let change = try #require(tree.downgraded.first)
            #expect(tree.downgraded.count == 1 && tree.added.isEmpty && tree.removed.isEmpty && tree.upgraded.isEmpty)
            #expect(change.name == "ed-dictionary" && change.arch == "noarch")
            #expect(change.before.count == 1 && change.before[0].hasSuffix("2.0-1") && change.after == ["20190101-1"])
            #expect(change.cause == "\(repository.location) changed")

            let newer = try await Self.difference(second, first, shared.server)
            // The source package too.
            #expect(newer.trees.map(\.tree) == ["source", "x86_64"])
            #expect(newer.trees.allSatisfy { $0.upgraded.map(\.name) == ["ed-dictionary"] && $0.downgraded.isEmpty })
            #expect(try await Self.difference(first, first, shared.server).trees.isEmpty)

            let shown = try await shared.server.odcs("diff", "\(first)", "\(second)")
            #expect(shown.isSuccess && shown.output.contains("downgraded") && shown.output.contains(change.cause), "\(shown.output)")
            let graph = try await shared.server.odcs("why", "\(first)", "ed-dictionary", "--dot")
            #expect(graph.output.hasPrefix("digraph why {") && graph.output.contains("requested by ed-dictionary"), "\(graph.output)")
        }
    }

    @Test("a package of a tag has its build, the tags that inherit it, the key of its file, and the keys that were not taken")
    func koji() async throws {
        try await KojiService.with { koji in
            koji.hub.answerEach { call in
                guard call.method == "queryRPMSigs" else { return nil }
                return .value(.array(["0b3e5524", "b0234768"].map { ["rpm_id": 1, "sigkey": .string($0), "sighash": "00"] }))
            }
            let compose = try await koji.compose(
                #""type": "tag", "source": "f26-updates", "packages": ["ed", "loop-a"], "sigkeys": ["0B3E5524", ""]"#)
            #expect(compose.state == "done", "\(compose.reason)")
            let id = compose.document.id
            let own = try #require(try await Self.why(id, "ed", koji.server).packages.first { $0.tree == "x86_64" })
            #expect(own.koji == .init(build: "ed-1.14.2-2.fc26", tags: ["f26-updates"], key: "0b3e5524", otherKeys: ["b0234768"]))
            let inherited = try #require(try await Self.why(id, "loop-b", koji.server).packages.first { $0.tree == "x86_64" })
            #expect(
                inherited.koji
                    == .init(build: "loop-b-1-1.fc26", tags: ["f26-updates", "f26"], key: nil, otherKeys: ["0b3e5524", "b0234768"]))

            let text = try await koji.server.odcs("why", "\(id)", "loop-b").output
            #expect(text.contains("f26-updates, which inherits it from f26"), "\(text)")
            #expect(text.contains("the unsigned file (not taken: 0b3e5524, b0234768)"), "\(text)")
            let graph = try await koji.server.odcs("why", "\(id)", "loop-b", "--dot").output
            #expect(graph.contains(#""tag f26-updates" -> "tag f26" [style=dashed, label="inherits"];"#), "\(graph)")
            let page = try await koji.server.http(.GET, "/compose/\(id)/why?package=loop-b", headers: [("Accept", "text/html")]).text
            #expect(page.contains("<dt>Tag</dt><dd><bdi>f26-updates, which inherits it from f26</bdi></dd>"), "\(page)")
            #expect(page.contains("the tag f26-updates inherits from the tag f26."), "\(page)")
        }
    }

    @Test("a package of a build that the request names has no tag, and one of a repository has no origin in Koji")
    func named() async throws {
        try await KojiService.with { koji in
            let compose = try await koji.compose(#""type": "build", "builds": ["ed-1.14.2-2.fc26"], "packages": ["ed"]"#)
            #expect(compose.state == "done", "\(compose.reason)")
            let why = try await Self.why(compose.document.id, "ed", koji.server)
            #expect(why.packages.first?.koji == .init(build: "ed-1.14.2-2.fc26", tags: [], key: nil, otherKeys: []))
        }
    }

    @Test("a compose without packages can be compared: all packages are added after it")
    func empty() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            try await repository.index(excluding: "*")
            let empty = try await shared.server.compose("repo", repository.location)
            #expect(empty.stateName == "done", "\(empty.stateReason ?? "")")
            try await repository.index(excluding: "nothing")
            let full = try await shared.server.compose("repo", repository.location)
            let difference = try await Self.difference(empty.id, full.id, shared.server)
            let tree = try #require(difference.trees.first { $0.tree == "x86_64" })
            #expect(tree.added.contains { $0.name == "ed" } && tree.removed.isEmpty && tree.upgraded.isEmpty)
            #expect(try await Self.difference(empty.id, empty.id, shared.server).trees.isEmpty)
            let why = try await shared.server.http(.GET, "/api/1/composes/\(empty.id)/why?package=ed")
            #expect(why.status == 404)
        }
    }

    @Test("the page of why a package is in has a drawing, and the same way as a list")
    func page() async throws {
        try await SharedService.with(more: "") { shared in
            let id = try await shared.server.compose("repo", Checkout.testsRepo.string, "ed").id
            let answer = try await shared.server.http(.GET, "/compose/\(id)/why?package=libed", headers: [("Accept", "text/html")])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.text.contains("<svg class=\"why\"") && answer.text.contains("<desc id=\"why-desc\">"))
            #expect(answer.text.contains("/compose/\(id)/why?package=ed\"><bdi>ed-1.20-3.x86_64</bdi></a>: <bdi>requested by ed</bdi>"))
        }
    }
}
