import ComposeModel
import Foundation
import NIOHTTP1
import Testing

@testable import ContentSources

@Suite("Repositories of Pulp 3")
struct Pulp3SourceTests {
    private static let content = "http://127.0.0.1:5584/pulp/content/content"

    private static let x86 = PulpRepository(
        id: "ed-x86_64", contentSet: "f26-rpms-x86_64", url: "\(content)/f26-rpms-x86_64/x86_64/os/", arch: "x86_64", sigkeys: ["0b3e5524"],
        productVersions: ["26"])
    private static let arm = PulpRepository(
        id: "ed-aarch64", contentSet: "f26-rpms-aarch64", url: "\(content)/f26-rpms-aarch64/aarch64/os/", arch: "aarch64",
        sigkeys: ["0b3e5524"], productVersions: ["26"])
    private static let beta = PulpRepository(
        id: "beta-x86_64", contentSet: "f26-beta-rpms", url: "\(content)/f26-beta-rpms/x86_64/os/", arch: "x86_64", sigkeys: ["0b3e5524"],
        productVersions: ["26"], isGuarded: true)

    private func ask(
        _ names: [String], includeUnpublished: Bool = false, of replay: PulpReplay = PulpReplay(),
        limits: PulpServer.Limits = PulpBench.limits
    ) async throws -> (PulpFindings, [PulpHTTPServer.Request]) {
        try await PulpHTTPServer.with(replay.answer) { server in
            let findings = try await PulpBench.ask(
                server.address, for: names, includeUnpublished: includeUnpublished, limits: limits)
            return (findings, server.requests)
        }
    }

    @Test("content sets become their repositories, sorted by id, by one question")
    func contentSets() async throws {
        let (findings, requests) = try await ask(["f26-rpms-x86_64", "f26-rpms-aarch64", "f26-rpms-x86_64"])
        #expect(findings == PulpFindings(found: [Self.arm, Self.x86]))
        #expect(findings.failure == nil)
        #expect(requests.count == 1)
        #expect(
            requests[0].query["q"]
                == "(pulp_label_select='content_set=f26-rpms-x86_64' OR pulp_label_select='content_set=f26-rpms-aarch64') "
                + "AND pulp_label_select='include_in_download_service=True'")
        #expect(requests[0].query["fields"] == "name,base_url,pulp_labels,content_guard")
        #expect(findings.found.arches == ["aarch64", "x86_64"])
        #expect(findings.found.sigkeys == ["0b3e5524"])
    }

    @Test("a name that is no content set is the name of a repository")
    func byName() async throws {
        let (findings, requests) = try await ask(["ed-x86_64", "f26-rpms-aarch64"])
        #expect(findings == PulpFindings(found: [Self.arm, Self.x86]))
        #expect(requests.map { $0.query["name__in"] } == [nil, "ed-x86_64"])
    }

    @Test("a repository that is named twice, by its content set and by itself, is there once")
    func twice() async throws {
        let (findings, _) = try await ask(["ed-x86_64", "f26-rpms-x86_64"])
        #expect(findings == PulpFindings(found: [Self.x86]))
    }

    @Test("what is not published is absent, and said to be there")
    func unpublished() async throws {
        let (findings, _) = try await ask(["f26-beta-rpms", "beta-x86_64", "nothing", "f26-rpms-x86_64"])
        #expect(
            findings
                == PulpFindings(
                    found: [Self.x86], absent: ["f26-beta-rpms", "beta-x86_64", "nothing"], unpublished: ["f26-beta-rpms", "beta-x86_64"]))
        #expect(findings.failure?.code == .sourceNotUsable)
        #expect(
            findings.failure?.message
                == """
                Pulp has f26-beta-rpms but has not published it; with the flag include_unpublished_pulp_repos it is used all the same.
                Pulp has beta-x86_64 but has not published it; with the flag include_unpublished_pulp_repos it is used all the same.
                Pulp has neither a content set nor a repository called nothing.
                The flag ignore_absent_pulp_repos makes the compose without them.
                """)
    }

    @Test("what is not published counts where it is asked for", arguments: ["f26-beta-rpms", "beta-x86_64"])
    func includingUnpublished(name: String) async throws {
        let (findings, _) = try await ask([name], includeUnpublished: true)
        #expect(findings == PulpFindings(found: [Self.beta]))
    }

    @Test("one content set has repositories for several architectures and versions")
    func several() async throws {
        let additional = [("7.2", "x86_64"), ("7.3", "x86_64"), ("7.3", "ppc64le")].map { version, arch in
            PulpReplay.distribution(
                "rhel-\(version)-\(arch)",
                labels: [
                    "content_set": "rhel-rpms", "arch": arch, "signatures": "fd431d51,0b3e5524", "include_in_download_service": "True",
                    "product_versions": version,
                ], url: "http://c/content/rhel/\(version)/\(arch)/os/")
        }
        let (findings, _) = try await ask(["rhel-rpms"], of: PulpReplay(additional: additional))
        #expect(findings.found.map(\.id) == ["rhel-7.2-x86_64", "rhel-7.3-ppc64le", "rhel-7.3-x86_64"])
        #expect(findings.found.map(\.productVersions) == [["7.2"], ["7.3"], ["7.3"]])
        #expect(findings.found.map(\.url)[1] == "http://c/content/rhel/7.3/ppc64le/os/")
        #expect(findings.found.arches == ["ppc64le", "x86_64"])
        #expect(findings.found.sigkeys == ["0b3e5524", "fd431d51"])
    }

    @Test("no question is more complex or longer than Pulp accepts, however many names there are")
    func many() async throws {
        let names = (1...40).map { "set-\($0)-" + String(repeating: "x", count: $0 * 5) }
        let additional = names.map {
            PulpReplay.distribution("r-\($0)", labels: ["content_set": $0, "include_in_download_service": "True"])
        }
        let (findings, requests) = try await ask(names, of: PulpReplay(additional: additional))
        #expect(findings.found.count == 40)
        #expect(findings.absent == [])
        #expect(requests.allSatisfy { $0.uri.utf8.count < 3900 })

        // Of all of them as repositories, of which half are not there.
        let ids = names.map { "r-\($0)" } + names.map { "n-\($0)" }
        let (byName, _) = try await ask(ids, of: PulpReplay(additional: additional))
        #expect(byName.found.count == 40)
        #expect(byName.absent == names.map { "n-\($0)" })
    }

    @Test("all pages are read, and no address that Pulp gives is followed")
    func pages() async throws {
        var limits = PulpBench.limits
        limits.pageSize = 3
        let additional = (1...10).map {
            PulpReplay.distribution("r\($0)", labels: ["content_set": "many", "include_in_download_service": "True"])
        }
        let (findings, requests) = try await ask(["many"], of: PulpReplay(additional: additional), limits: limits)
        #expect(findings.found.count == 10)
        #expect(requests.map { $0.query["offset"] } == ["0", "3", "6", "9"])
    }

    @Test("a list that changes while it is read is read anew")
    func changing() async throws {
        var limits = PulpBench.limits
        limits.pageSize = 3
        let before = (1...5).map { PulpReplay.distribution("r\($0)", labels: ["content_set": "s", "include_in_download_service": "True"]) }
        let after = PulpReplay(additional: Array(before.dropFirst()))
        let findings = try await PulpHTTPServer.with({ request in
            (request.number == 1 ? PulpReplay(additional: before) : after).answer(request)
        }) { server in try await PulpBench.ask(server.address, for: ["s"], limits: limits) }
        #expect(findings.found.map(\.id) == ["r2", "r3", "r4", "r5"])
    }

    @Test("a list that never stops changing is given up, for now")
    func alwaysChanging() async throws {
        var limits = PulpBench.limits
        limits.pageSize = 2
        let failure = try await PulpHTTPServer.with({ request in
            let additional = (0...(2 + request.number)).map {
                PulpReplay.distribution("r\($0)", labels: ["content_set": "s", "include_in_download_service": "True"])
            }
            return PulpReplay(additional: additional).answer(request)
        }) { server in try await PulpBench.failure(server.address, for: ["s"], limits: limits) }
        #expect(failure?.code == .sourceChanging)
        #expect(failure?.isTransient == true)
    }

    @Test("the user name and password are sent, and a Pulp that wants none gets none")
    func credentials() async throws {
        let replay = PulpReplay(authorization: "Basic " + Data("odcs:s3cret".utf8).base64EncodedString())
        let findings = try await PulpHTTPServer.with(replay.answer) { server in
            try await PulpBench.ask(
                server.address, for: ["f26-rpms-x86_64"], authentication: .password("s3cret", user: "odcs"))
        }
        #expect(findings.found == [Self.x86])
        let (_, requests) = try await ask(["f26-rpms-x86_64"])
        #expect(requests[0].headers["authorization"] == [])
    }

    @Test("a name that Pulp's queries cannot carry is refused before Pulp is asked", arguments: ["a,b", "a'b", "a\\b", "a(b)", "a\"b"])
    func uncarriable(name: String) async throws {
        let (failure, requests) = try await PulpHTTPServer.with(PulpReplay().answer) { server in
            (try await PulpBench.failure(server.address, for: ["f26-rpms-x86_64", name]), server.requests)
        }
        #expect(failure?.code == .sourceNotUsable)
        #expect(failure?.message.contains("\"\(name)\" cannot be looked up in Pulp: it contains a") == true)
        #expect(requests.isEmpty)

        let servers = try (PulpServer(url: "http://h/", version: .pulp3), PulpServer(url: "http://h/", version: .pulp2))
        let refusal = #expect(throws: ComposeFailure.self) { try servers.0.check(["f26-rpms-x86_64", name]) }
        #expect(refusal == failure)
        #expect(throws: Never.self) { try servers.1.check([name]) }
    }

    @Test("a name is never a query of its own", arguments: ["a=b", "!a", "a~b", "a&limit=1", "a%27", "ä", "a+b", "null"])
    func harmless(name: String) async throws {
        let replay = PulpReplay(additional: [
            PulpReplay.distribution("it", labels: ["content_set": name, "include_in_download_service": "True"])
        ])
        let (findings, _) = try await ask([name], of: replay)
        #expect(findings.found.map(\.contentSet) == [name])
    }

    @Test(
        "the API is found below the address, or at it",
        arguments: ["", "/", "/pulp/api/v3", "/pulp/api/v3/"])
    func address(suffix: String) async throws {
        let findings = try await PulpHTTPServer.with(PulpReplay().answer) { server in
            try await PulpBench.ask(server.address + suffix, for: ["f26-rpms-x86_64"])
        }
        #expect(findings.found == [Self.x86])
    }

    @Test("a base_url without a host is below the address of Pulp")
    func pathOnly() async throws {
        let replay = PulpReplay(additional: [
            PulpReplay.distribution("it", labels: ["content_set": "s", "include_in_download_service": "True"], url: "/pulp/content/s/")
        ])
        let (address, findings) = try await PulpHTTPServer.with(replay.answer) { server in
            (server.address, try await PulpBench.ask(server.address, for: ["s"]))
        }
        #expect(findings.found.map(\.url) == ["\(address)/pulp/content/s/"])
        #expect(findings.found.map(\.arch) == [nil])
    }
}
