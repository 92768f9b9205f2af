import ComposeModel
import Foundation
import ImageModel
import Koji
import NIOHTTP1
import ScriptedHub
import Synchronization
import SystemPackage
import Testing

/// Why a package is not in a compose: each cause on a source that has it.
@Suite(.timeLimit(.minutes(5))) struct WhyNotTests {
    /// A question, and the causes of its answer, each with a fact that its sentence must have.
    private struct Row {
        let package: String
        let causes: [ComposeWhyNotDocument.Cause]
        let facts: [String]

        init(_ package: String, _ causes: ComposeWhyNotDocument.Cause..., facts: String...) {
            self.package = package
            self.causes = causes
            self.facts = facts
        }

        func check(_ compose: Int, _ server: ServerProcess) async throws {
            let found = try await WhyNotTests.whyNot(compose, package, server)
            let texts = found.verdicts.map(\.text).joined(separator: "\n")
            #expect(found.verdicts.map(\.cause) == causes, "\(package): \(texts)")
            for fact in facts { #expect(texts.contains(fact), "\(package): \(texts)") }
        }
    }

    private static func whyNot(_ id: Int, _ name: String, _ server: ServerProcess) async throws -> ComposeWhyNotDocument {
        let answer = try await server.http(.GET, "/api/1/composes/\(id)/why-not?package=\(name)")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(ComposeWhyNotDocument.self, from: answer.body)
    }

    @Test("each cause in a repository has its own verdict with its facts, for a name and for its longer forms")
    func repository() async throws {
        try await SharedService.with(more: "") { shared in
            let lookaside = Checkout.testsRepo.appending("lookaside").string
            let answer = try await shared.server.compose(
                json: """
                    {"source": {"type": "repo", "source": "\(Checkout.testsRepo)", "packages": ["ed", "libed"]},
                     "lookaside_repos": ["\(lookaside)"]}
                    """, shared.service)
            #expect(answer.state == "done", "\(answer.reason)")
            for row in [
                Row("ed", .included, facts: "ed-1.20-3.x86_64 is in the compose."),
                Row("libed", .included, .older, facts: "libed-1.0-1.x86_64 is older than libed-1.1-2.x86_64, which was chosen."),
                Row("htpo", .notInSource, facts: "has no package named \"htpo\"."),
                Row("ed-legac", .notInSource, facts: "The nearest names: ed-legacy"),
                Row("ed-doc", .notNeeded, facts: "ed-doc-1.20-3.noarch was not requested, and no package of the compose requires it."),
                Row("libed-1.0-1.x86_64", .older, facts: "libed-1.0-1.x86_64 is older than libed-1.1-2.x86_64, which was chosen."),
                Row("libed-1.0-1.aarch64", .otherArch, facts: "exists, but not for x86_64"),
                Row("libed-1.1-2.i686", .otherArch, facts: "multilib_arches takes such packages"),
                Row("tinysh-data", .lookaside, facts: "tinysh-data-0.5-1.noarch is in the lookaside", lookaside),
                Row("libed.so.1", .providedBy, facts: "libed-1.1-2.i686 provides the name"),
            ] { try await row.check(answer.document.id, shared.server) }
            let shown = try await shared.server.odcs("why-not", "\(answer.document.id)", "ed-doc")
            #expect(shown.isSuccess && shown.output.hasPrefix("not needed  ed-doc-1.20-3.noarch was not requested"), "\(shown)")
            let why = try await shared.server.odcs("why", "\(answer.document.id)", "libed")
            #expect(why.output.contains(/not taken +libed-1\.0-1\.x86_64\n/), "\(why)")
            // The worker that answered has left nothing.
            let work = shared.service.composes.appending(".work").string
            #expect(try FileManager.default.contentsOfDirectory(atPath: work).isEmpty)
        }
    }

    @Test("a renamed package, a package of no_deps and one of a compose that has failed each have their verdict")
    func requests() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            try repository.remove("Packages/ed-legacy-2.0-7.noarch.rpm")
            try await repository.index(excluding: "*.src.rpm")
            let alone = try await shared.server.compose("repo", repository.location, "ed-suite", "--no-deps")
            let failed = try await shared.server.compose("repo", repository.location, "ed", "no-such-package")
            #expect(failed.stateName == "failed")
            try await Row("ed-legacy", .providedBy, facts: "ed-ng-3.0-1.noarch provides the name or obsoletes it").check(
                alone.id, shared.server)
            try await Row("ed", .notNeeded, facts: "the request has no_deps").check(alone.id, shared.server)
            try await Row("no-such-package", .notInSource).check(failed.id, shared.server)
            try await Row("ed-doc", .notNeeded).check(failed.id, shared.server)
        }
    }

    @Test("of a package whose file differs in two composes that are merged, that of the second one is overruled")
    func overruled() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            try repository.flip("Packages/ed-words-1.3-1.noarch.rpm")
            try await repository.index(excluding: "nothing")
            func compose(_ type: String, _ sources: [String], _ members: String = "") async throws -> FinishedCompose {
                let compose = try await shared.server.compose(
                    json: #"{"source": {"type": "\#(type)", "source": "\#(sources.joined(separator: " "))"\#(members)}}"#, shared.service)
                #expect(compose.state == "done", "\(compose.reason)")
                return compose
            }
            let only = #", "packages": ["ed-words"]"#
            let first = try await compose("repo", [Checkout.testsRepo.string], only)
            let second = try await compose("repo", [repository.location], only)
            let places = [first.document.resultRepo, second.document.resultRepo]
            let merged = try await compose("pungi_compose", places)
            try await Row(
                "ed-words", .included, .overruled, facts: "ed-words-1.3-1.noarch is not the same in", places[0], places[1]
            ).check(merged.document.id, shared.server)
            // A longer form of the name is answered by a worker, which says the same.
            try await Row("ed-words-1.3-1", .included, .overruled).check(merged.document.id, shared.server)
            let why = try await shared.server.http(.GET, "/api/1/composes/\(merged.document.id)/why?package=ed-words")
            let found = try JSONDecoder().decode(ComposeWhyDocument.self, from: why.body)
            #expect(found.packages.first?.overruled.count == 1, "\(why.text)")
        }
    }

    @Test("of a package whose file differs in two repositories, that of the second one is overruled, though nothing else needs it")
    func overruledInRepositories() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            try repository.flip("Packages/ed-words-1.3-1.noarch.rpm")
            try await repository.index(excluding: "nothing")
            let (first, second) = (Checkout.testsRepo.string, repository.location)
            let compose = try await shared.server.compose(
                json: #"{"source": {"type": "repo", "source": "\#(first) \#(second)", "packages": ["ed-words", "ed"]}}"#, shared.service)
            #expect(compose.state == "done", "\(compose.reason)")
            let fact =
                "ed-words-1.3-1.noarch is not the same in \(first) and in \(second); that of \(first) is taken for x86_64."
            for row in [
                // The list of the compose answers, and then a worker.
                Row("ed-words", .included, .overruled, facts: fact), Row("ed-words-1.3-1", .included, .overruled, facts: fact),
                // The files of both repositories are the same.
                Row("ed", .included),
            ] { try await row.check(compose.document.id, shared.server) }
            let why = try await shared.server.http(.GET, "/api/1/composes/\(compose.document.id)/why?package=ed-words")
            let found = try JSONDecoder().decode(ComposeWhyDocument.self, from: why.body)
            #expect(found.packages.first?.overruled == [String(fact.dropLast())] && found.packages.first?.otherBuilds == [], "\(why.text)")
        }
    }

    @Test("if the repository has changed since and nothing of it is kept, that is the verdict")
    func sourceGone() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try RepositoryCopy(in: shared.sources)
            let compose = try await shared.server.compose("repo", repository.location, "ed")
            try await repository.index(excluding: "*-2.0-1*")
            try FileManager.default.removeItem(atPath: shared.service.directory.appending("cache").string)
            try await Row("ed-doc", .sourceUnusable, facts: "has changed").check(compose.id, shared.server)
            // The list of the compose needs no source.
            try await Row("ed", .included).check(compose.id, shared.server)
        }
    }

    @Test("packages of streams that are not enabled, and packages that a stream hides, name the module")
    func modules() async throws {
        try await SharedService.with(more: "") { shared in
            let directory = shared.sources.appending("kitchen")
            try await ModularWorld.kitchen.writeRepository(in: directory)
            let compose = try await shared.server.compose("repo", directory.string, "pan")
            #expect(compose.stateName == "done", "\(compose.stateReason ?? "")")
            for row in [
                Row("handle", .module, facts: "handle is part of the module tongs:2, which is not enabled"),
                Row("tongs-libs-3.0", .module, facts: "is hidden by the module tongs:1, which has tongs-libs"),
                Row("spoon", .notNeeded),
            ] { try await row.check(compose.id, shared.server) }
        }
    }

    @Test("a tag has verdicts for what it blocks, for builds that were not tagged last, and for other architectures")
    func tag() async throws {
        try await KojiService.with { koji in
            koji.hub.behave { call, _ in Self.behaviour(call) }
            let compose = try await koji.compose(#""type": "tag", "source": "f26-updates", "packages": ["ed"]"#)
            #expect(compose.state == "done", "\(compose.reason)")
            for row in [
                Row("ed", .included),
                Row(
                    "ed-1.14.1-1.fc26", .older,
                    facts: "ed-1.14.1-1.fc26.x86_64 of the build ed-1.14.1-1.fc26 is in the tag, but not as its latest build.",
                    "ed-1.14.2-2.fc26.x86_64 was tagged after it."),
                Row("nano-tools", .blocked, facts: "The package nano is blocked in the tag f26."),
                Row("only-arm", .otherArch, facts: "only-arm.aarch64 exists, but not for x86_64"),
                Row("zzz", .notInSource, facts: "The tag f26-updates, as of the event"),
            ] {
                try await row.check(compose.document.id, koji.server)
            }
        }
    }

    private static func behaviour(_ call: XMLRPCCall) -> ScriptedHub.Behaviour {
        func keyword(_ name: String) -> XMLRPCValue? { call.keywords.last { $0.name == name }?.value }
        func rpm(_ id: Int, _ name: String, _ version: String, _ arch: String, build: Int) -> XMLRPCValue {
            [
                "id": .int(id), "name": .string(name), "version": .string(version), "release": "1.fc26", "arch": .string(arch),
                "epoch": .null, "build_id": .int(build), "size": 1000, "payloadhash": .string(String(repeating: "1", count: 32)),
                "metadata_only": false,
            ]
        }
        func build(_ id: Int, _ name: String, _ version: String) -> XMLRPCValue {
            [
                "build_id": .int(id), "id": .int(id), "name": .string(name), "package_name": .string(name), "version": .string(version),
                "release": "1.fc26", "epoch": .null, "nvr": .string("\(name)-\(version)-1.fc26"), "state": 1, "volume_name": "DEFAULT",
                "tag_id": 2, "tag_name": "f26-updates",
            ]
        }
        switch call.method {
        case "listPackages" where keyword("pkgID") == "nano":
            return .reply(.value([["package_id": 90, "package_name": "nano", "tag_id": 1, "tag_name": "f26", "blocked": true]]))
        case "listPackages" where keyword("pkgID") == "ed":
            return .reply(.value([["package_id": 1, "package_name": "ed", "tag_id": 2, "tag_name": "f26-updates", "blocked": false]]))
        case "listPackages":
            return .reply(.fault(1000, "No such entry in table package"))
        case "listTaggedRPMS" where keyword("package") == "ed":
            return .reply(.value([[rpm(900, "ed", "1.14.1", "x86_64", build: 90)], [build(90, "ed", "1.14.1")]]))
        case "listTaggedRPMS" where keyword("package") == "only-arm":
            return .reply(.value([[rpm(901, "only-arm", "1", "aarch64", build: 91)], [build(91, "only-arm", "1")]]))
        case "listTaggedRPMS" where keyword("package") != nil:
            return .reply(.value([[], []]))
        default: return KojiService.behaviour(call)
        }
    }

    @Test("an unsigned package has the keys that signed it, and a package whose file cannot be used has the reason")
    func signatures() async throws {
        let topdir = try TemporaryDirectory()
        defer { topdir.remove() }
        let tree = topdir.path.appending("tree")
        try FileManager.default.copyItem(atPath: ScriptedHub.topdir.string, toPath: tree.string)
        let broken = "packages/loop-a/1/1.fc26/noarch/loop-a-1-1.fc26.noarch.rpm"
        try Data("no package".utf8).write(to: URL(filePath: tree.appending(broken).string))
        try await KojiService.with(topdir: tree) { koji in
            koji.hub.behave { call, _ in Self.behaviour(call) }
            let unsigned = try await koji.compose(
                #""type": "tag", "source": "f26-updates", "packages": ["ed"], "sigkeys": ["deadbeef"]"#)
            #expect(unsigned.document.failure?.code == .packageUnsigned, "\(unsigned.reason)")
            let found = try await Self.whyNot(unsigned.document.id, "ed", koji.server)
            let verdict = try #require(found.verdicts.first { $0.cause == .unsigned }, "\(found)")
            #expect(verdict.packages == ["ed-1.14.2-2.fc26.x86_64"] && verdict.keys?.isEmpty == false)
            #expect(verdict.text.contains("The request allows deadbeef."), "\(verdict.text)")
            #expect(!found.verdicts.contains { $0.cause == .included })

            let other = try await koji.compose(#""type": "tag", "source": "f26-updates", "packages": ["ed"]"#)
            #expect(other.state == "done", "\(other.reason)")
            try await Row("loop-a", .unusable, facts: "loop-a-1-1.fc26.noarch", "cannot be used").check(other.document.id, koji.server)
        }
    }

    @Test("questions that have no answer are refused: a compose under way, a type without a choice, a name that is missing or too long")
    func refusals() async throws {
        try await TestService.with { service in
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let waiting = try await frontend.submit("repo", Checkout.testsRepo.string, "ed")
                func refusal(_ query: String, of id: Int) async throws -> (Int, String) {
                    let answer = try await frontend.http(.GET, "/api/1/composes/\(id)/why-not\(query)")
                    return (answer.status, try answer.message)
                }
                #expect(
                    try await refusal("?package=ed", of: waiting.id) == (
                        404, "Compose \(waiting.id) is wait. Its packages are chosen when it is done or has failed."
                    ))
                #expect(try await refusal("", of: waiting.id).0 == 400)
                #expect(try await refusal("?package=\(String(repeating: "x", count: 301))", of: waiting.id).0 == 400)
                #expect(try await refusal("?package=ed", of: 99_999).0 == 404)
            }
        }
    }
}
