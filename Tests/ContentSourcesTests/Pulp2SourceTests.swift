import ComposeModel
import Foundation
import Testing

@testable import ContentSources

@Suite("Repositories of Pulp 2")
struct Pulp2SourceTests {
    private static let replay = Pulp2Replay(repositories: [
        .init("rpms-x86_64", set: "rpms"), .init("rpms-ppc64le", set: "rpms", arch: "ppc64le"),
        .init("beta-x86_64", set: "beta", published: "False"), .init("other-s390x", set: "other", arch: "s390x"),
    ])

    private func ask(_ names: [String], includeUnpublished: Bool = false) async throws -> (String, PulpFindings, [PulpHTTPServer.Request]) {
        try await PulpHTTPServer.with(Self.replay.answer) { server in
            let findings = try await PulpBench.ask(
                server.address, for: names, includeUnpublished: includeUnpublished, version: .pulp2)
            return (server.address, findings, server.requests)
        }
    }

    @Test("a content set becomes its repositories, below the address of Pulp")
    func contentSet() async throws {
        let (address, findings, requests) = try await ask(["rpms"])
        #expect(
            findings
                == PulpFindings(found: [
                    PulpRepository(
                        id: "rpms-ppc64le", contentSet: "rpms", url: "\(address)/content/rpms/ppc64le/os", arch: "ppc64le",
                        sigkeys: ["0b3e5524", "fd431d51"], productVersions: ["7.2", "7.3"]),
                    PulpRepository(
                        id: "rpms-x86_64", contentSet: "rpms", url: "\(address)/content/rpms/x86_64/os", arch: "x86_64",
                        sigkeys: ["0b3e5524", "fd431d51"], productVersions: ["7.2", "7.3"]),
                ]))
        #expect(requests.map(\.method) == ["POST"])
        let sent = try JSONSerialization.jsonObject(with: Data(requests[0].body)) as? NSDictionary
        #expect(
            sent == [
                "criteria": [
                    "filters": ["notes.content_set": ["$in": ["rpms"]], "notes.include_in_download_service": "True"],
                    "fields": ["notes", "id"],
                ]
            ])
    }

    @Test("other names are ids of repositories; a 404 is an absent one")
    func ids() async throws {
        let (_, findings, requests) = try await ask(["rpms", "other-s390x", "nothing", "rpms-x86_64", "..", "a/b", "a,b"])
        #expect(findings.found.map(\.id) == ["other-s390x", "rpms-ppc64le", "rpms-x86_64"])
        #expect(findings.absent == ["nothing", "..", "a/b", "a,b"])
        #expect(
            requests.map(\.path).dropFirst().prefix(3).map { $0 } == [
                "/pulp/api/v2/repositories/other-s390x/", "/pulp/api/v2/repositories/nothing/", "/pulp/api/v2/repositories/rpms-x86_64/",
            ])
    }

    @Test("what is not published is absent unless it is asked for", arguments: ["beta", "beta-x86_64"])
    func unpublished(name: String) async throws {
        let (_, without, _) = try await ask([name])
        #expect(without == PulpFindings(found: [], absent: [name], unpublished: [name]))
        let (_, with, _) = try await ask([name], includeUnpublished: true)
        #expect(with.found.map(\.id) == ["beta-x86_64"])
        #expect(with.absent == [])
    }

    @Test("a path that leads out of Pulp's content is not believed")
    func leadsOut() async throws {
        let replay = Pulp2Replay(repositories: [.init("r", set: "s", path: "../../elsewhere")])
        let failure = try await PulpHTTPServer.with(replay.answer) { server in
            try await PulpBench.failure("\(server.address)/prefix/pulp/api/v2", for: ["s"], version: .pulp2)
        }
        // The server does not answer there.
        #expect(failure?.message.contains("There is no API of Pulp 2 at ") == true)
        let below = try await PulpHTTPServer.with(replay.answer) { server in
            try await PulpBench.failure(server.address, for: ["s"], version: .pulp2)
        }
        #expect(below?.code == .metadataCorrupt)
        #expect(below?.message.contains("has a relative_url that is no path below the server's address") == true)
    }

    @Test("a repository without its place is a readable failure")
    func incomplete() async throws {
        let answer = "[{\"id\": \"r\", \"notes\": {\"content_set\": \"s\", \"arch\": \"x86_64\"}}]"
        let failure = try await PulpHTTPServer.with({ _ in .json(answer) }) { server in
            try await PulpBench.failure(server.address, for: ["s"], version: .pulp2)
        }
        #expect(failure?.code == .metadataCorrupt)
        #expect(failure?.message.contains("its note relative_url is missing") == true)
    }
}
